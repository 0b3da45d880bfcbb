import { type ReactNode, useState } from "react";
import { month as monthName } from "@/lib/dates";
import { bareMoney, money, roundMoney } from "@/lib/money";
import { Section } from "@/ui/basics";
import { Chart, type Series } from "@/ui/chart";
import type { Report } from "./parts";
import type { TableRow } from "./streams";

export interface Column {
  label: string;
  short: string;
}

interface TrendProps {
  title: string;
  report: Pick<Report, "months" | "currency">;
  rows: Series[];
  /** The columns, where they are no months. */
  columns?: readonly Column[];
  columnName?: string;
  /** What the table below has where it is more than the rows. */
  table?: readonly TableRow[];
  /** Without the table below. */
  isPlain?: boolean;
  meta?: ReactNode;
}

/** Figures by month: a chart, and below its columns those of a table. */
export function Trend({ title, report, rows, table, isPlain, meta, ...given }: TrendProps) {
  const { months, currency } = report;
  const { columns = columnsOf(months), columnName = "Month" } = given;
  const [column, setColumn] = useState<number | null>(null);
  const last = columns.length - 1;
  // A single column shows no course: its figures say all there is.
  const isSingle = last === 0;
  const name = `By ${columnName.toLowerCase()}`;
  const total = rows.length > 1;
  const cents = (value: number) => money(Math.round(value), currency);
  const written =
    table ??
    rows.map(({ name, values }) => ({
      name,
      cells: values.map((value) => (value ? bareMoney(Math.round(value), currency) : "")),
      isTotal: false,
    }));
  return (
    <Section title={title} meta={meta ?? columns[Math.min(column ?? last, last)]?.label}>
      {!isSingle && (
        <div className={isPlain ? undefined : "above-months"}>
          <Chart
            sentence={`${title} by ${columnName.toLowerCase()}, from ${cents(sum(rows.map((row) => row.values[0] ?? 0)))} in ${columns[0]?.label} to ${cents(sum(rows.map((row) => row.values[last] ?? 0)))} in ${columns[last]?.label}`}
            columns={columns}
            columnName={columnName}
            series={rows}
            write={cents}
            writeTick={(value) => roundMoney(Math.round(value), currency)}
            isBanded
            hasTotal={total}
            hasReadout={isPlain ?? false}
            column={column}
            onColumn={setColumn}
            height={isPlain ? 180 : 200}
          />
        </div>
      )}
      {(!isPlain || isSingle) && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls what is wider than the window
        <section className="by-month" tabIndex={0} aria-label={name} ref={toLatest}>
          <table style={{ minWidth: isSingle ? undefined : widthOf(written, columns.length) }}>
            <thead>
              <tr>
                <th scope="col">{currency}</th>
                {columns.map((one, index) => (
                  <th
                    key={one.label}
                    scope="col"
                    className={index === column ? "on" : undefined}
                    title={one.label}
                  >
                    {one.short}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {written.map((row) => (
                <tr key={row.name} className={row.isTotal ? "total" : undefined}>
                  <th scope="row" title={row.name}>
                    <Swatch
                      series={rows.length > 1 ? rows.find((one) => one.name === row.name) : undefined}
                    />
                    {row.name}
                  </th>
                  {row.cells.map((text, index) => (
                    <td key={columns[index]?.label} className={index === column ? "on" : undefined}>
                      {text || <span className="dim">0</span>}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </Section>
  );
}

function columnsOf(months: string[]) {
  return months.map((one) => ({
    label: monthName(`${one}-01`),
    short: monthName(`${one}-01`, undefined, "short"),
  }));
}

/** Wide enough that no figure runs into the next. */
function widthOf(rows: readonly Pick<TableRow, "cells">[], columns: number): number {
  const longest = Math.max(...rows.flatMap((row) => row.cells.map((text) => text.length)), 0);
  return Math.max(LEAST, NAMES + columns * (longest * DIGIT + 18));
}

const LEAST = 900;
const NAMES = 132;
const DIGIT = 7.4;

/** What is wider than the window shows its newest months first. */
function toLatest(shown: HTMLElement | null): void {
  if (shown) shown.scrollLeft = shown.scrollWidth;
}

/** Which of the chart's series a row is. */
function Swatch({ series }: { series: Series | undefined }) {
  if (!series) return null;
  return <i className="swatch" style={{ background: `var(--${series.color})` }} aria-hidden="true" />;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
