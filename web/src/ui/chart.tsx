/**
 * Charts: stacked areas and bars, lines, a projection, a limit, the period before. Hovering moves a band and writes into
 * the readout below; nothing covers the data. The drawing is one image with a sentence; a real table is beside it.
 */
import { type KeyboardEvent, type PointerEvent, type ReactNode, useId, useMemo, useState } from "react";
import {
  type Axis,
  areaPath,
  axisFor,
  columnAt,
  labelled,
  linePath,
  type Span,
  stack,
  type Values,
  xOf,
  yOf,
} from "@/lib/chart";
import type { ChartColor, Series } from "./chart-colors";
import "./chart.css";

export { type ChartColor, type Series, SIDE_BY_SIDE, STACKED } from "./chart-colors";

export interface Limit {
  value: number;
  label: string;
}

interface ChartProps {
  /** What the drawing shows, in one sentence with its figures. */
  sentence: string;
  /** What each column is: "18 Nov 2026"; and what the axis says of it: "18". */
  columns: readonly { label: string; short: string }[];
  series: readonly Series[];
  /** A value in full, as in the readout: `series` is null for the total. */
  write: (value: number, series: Series | null) => string;
  /** A value at the axis: "€2,000". */
  writeTick: (value: number) => string;
  /** Below a value in the readout: units. */
  detail?: (series: Series | null, column: number) => ReactNode;
  /** Values from this column on are projected: dashed and paler. */
  projectedFrom?: number;
  /** The column of today. */
  today?: number;
  /** The period before, in grey. */
  before?: { name: string; values: Values };
  /** Limits that matter: thresholds of alerts. */
  limits?: readonly Limit[];
  /** Only lines: the axis need not start at zero. */
  isCut?: boolean;
  /** Columns have room around, as a table's below the chart have. */
  isBanded?: boolean;
  height?: number;
  /** The total of what is stacked, in the readout. */
  hasTotal?: boolean;
  /** Without a readout of its own, when an aligned table reads out; it then knows the column. */
  hasReadout?: boolean;
  column?: number | null;
  onColumn?: (column: number | null) => void;
  /** What the column of labels is called in the table: "Day". */
  columnName?: string;
}

const MOST_LABELS = 8;

export function Chart(props: ChartProps) {
  const { columns, series, projectedFrom, today, before, limits, isCut, height = 208 } = props;
  const { hasTotal = true, hasReadout = true, onColumn } = props;
  const [own, setOwn] = useState<number | null>(null);
  const chosen = props.column === undefined ? own : props.column;
  const choose = (column: number | null) => {
    setOwn(column);
    onColumn?.(column);
  };
  const count = columns.length;
  const isBanded = props.isBanded ?? series.some((one) => one.shape === "bar");
  const plot = useMemo(() => layOut(series, before, limits, isCut), [series, before, limits, isCut]);
  const last = projectedFrom === undefined ? lastKnown(plot.total) : Math.max(0, projectedFrom - 1);
  const shown = chosen ?? today ?? last;
  if (count === 0) return null;

  const place = (column: number) => `${xOf(column, count, isBanded)}%`;
  const point = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    choose(columnAt(((event.clientX - box.left) / box.width) * 100, count, isBanded));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowLeft: Math.max(0, shown - 1),
      ArrowRight: Math.min(count - 1, shown + 1),
      Home: 0,
      End: count - 1,
    };
    const next = steps[event.key];
    if (event.key === "Escape") choose(null);
    if (next === undefined) return;
    event.preventDefault();
    choose(next);
  };
  const total = plot.total[shown] ?? null;
  return (
    <figure>
      <div className={today === undefined ? "chart bare" : "chart"}>
        <div className="plot" style={{ height }}>
          <div className="picture" role="img" aria-label={props.sentence}>
            <Drawing plot={plot} {...props} isBanded={isBanded} chosen={chosen} />
            {plot.axis.ticks.map((tick) => (
              <span className="y" key={tick} style={{ top: `${yOf(tick, plot.axis)}%` }}>
                {props.writeTick(tick)}
              </span>
            ))}
            {labelled(count, MOST_LABELS).map((column) => (
              <span
                className={edgeClass(column, count, isBanded)}
                key={column}
                style={{ left: place(column) }}
              >
                {columns[column]!.short}
              </span>
            ))}
            {limits?.map((limit) => (
              <span
                className="note limit-word"
                key={limit.value}
                style={{ left: 0, top: `${yOf(limit.value, plot.axis)}%` }}
              >
                {limit.label}
              </span>
            ))}
            {today !== undefined && (
              <span
                className={`today${today > count * 0.92 ? " near-end" : today < count * 0.08 ? " near-start" : ""}`}
                style={{ left: place(today) }}
              >
                <span>Today</span>
              </span>
            )}
            {plot.hasTop && total !== null && (chosen !== null || today !== undefined) && (
              <span className="dot" style={{ left: place(shown), top: `${yOf(total, plot.axis)}%` }} />
            )}
            {plot.hasTop && projectedFrom !== undefined && (
              <EndLabel
                plot={plot}
                column={count - 1}
                count={count}
                isBanded={isBanded}
                write={props.write}
              />
            )}
          </div>
          <div
            className="hit"
            role="slider"
            tabIndex={0}
            aria-label="Read values"
            aria-valuemin={1}
            aria-valuemax={count}
            aria-valuenow={shown + 1}
            aria-valuetext={spoken(props, plot, shown)}
            onPointerMove={point}
            onPointerDown={point}
            onPointerLeave={() => choose(null)}
            onKeyDown={onKeyDown}
            onBlur={() => choose(null)}
          />
        </div>
      </div>
      {hasReadout && <Readout {...props} shown={shown} total={hasTotal && plot.hasTop ? total : undefined} />}
      <DataTable {...props} />
    </figure>
  );
}

interface Plot {
  axis: Axis;
  /** By series, where it is stacked. */
  spans: (readonly (Span | null)[] | null)[];
  /** Tops of the stack, by column. */
  total: readonly (number | null)[];
  /** Whether the stack has a top that is one line: areas, or a single series. */
  hasTop: boolean;
}

function layOut(
  series: readonly Series[],
  before: ChartProps["before"],
  limits: ChartProps["limits"],
  isCut: boolean | undefined,
): Plot {
  const isStacked = (one: Series) => one.shape === "area" || one.shape === "bar";
  const stacked = stack(series.filter(isStacked).map((one) => one.values));
  let next = 0;
  const spans = series.map((one) => (isStacked(one) ? stacked[next++]! : null));
  const lines = series.filter((one) => !isStacked(one));
  const areas = series.filter(isStacked);
  const summed = areas.length > 0 ? areas : lines.length === 1 ? lines : [];
  const count = Math.max(0, ...series.map((one) => one.values.length));
  const total = Array.from({ length: count }, (_, column) => {
    const known = summed.map((one) => one.values[column] ?? null).filter((value) => value !== null);
    return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) : null;
  });
  const values = [
    ...spans.flatMap((one) => one?.flatMap((span) => (span ? [...span] : [])) ?? []),
    ...lines.flatMap((one) => one.values.filter((value) => value !== null)),
    ...(before?.values.filter((value) => value !== null) ?? []),
    ...(limits?.map((limit) => limit.value) ?? []),
  ];
  const mayCut = isCut && areas.length === 0;
  return { axis: axisFor(values, mayCut), spans, total, hasTop: summed.length > 0 };
}

function lastKnown(values: Values): number {
  const last = values.findLastIndex((value) => value !== null);
  return Math.max(last, 0);
}

function edgeClass(column: number, count: number, isBanded: boolean): string {
  if (isBanded || count < 2) return "x";
  return column === 0 ? "x s" : column === count - 1 ? "x e" : "x";
}

interface DrawingProps extends ChartProps {
  plot: Plot;
  isBanded: boolean;
  chosen: number | null;
}

function Drawing({ plot, columns, series, projectedFrom, before, limits, isBanded, chosen }: DrawingProps) {
  const { axis, spans, total } = plot;
  const count = columns.length;
  const solidTo = projectedFrom === undefined ? count : projectedFrom - 1;
  const paleFrom = projectedFrom === undefined ? count : Math.max(0, projectedFrom - 1);
  const hasAreas = series.some((one) => one.shape === "area");
  return (
    <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      {chosen !== null && <Band column={chosen} count={count} isBanded={isBanded} />}
      {axis.ticks.map((tick) => (
        <line
          key={tick}
          className={tick === 0 ? "base" : "gl"}
          x1="0"
          x2="100"
          y1={yOf(tick, axis)}
          y2={yOf(tick, axis)}
        />
      ))}
      {before && <path className="before" d={linePath(before.values, axis, isBanded)} />}
      {series.map((one, index) => {
        const color = `var(--${one.color})`;
        const own = spans[index];
        if (one.shape === "bar" && own) {
          return own.map((span, column) =>
            span && span[0] !== span[1] ? (
              <rect
                key={`${one.name} ${columns[column]?.label}`}
                className={projectedFrom !== undefined && column >= projectedFrom ? "bar pale" : "bar"}
                style={{ fill: color }}
                x={xOf(column, count, true) - 32 / count}
                width={64 / count}
                y={yOf(span[1], axis)}
                height={yOf(span[0], axis) - yOf(span[1], axis)}
              />
            ) : null,
          );
        }
        if (one.shape === "area" && own) {
          const tops = own.map((span) => span?.[1] ?? null);
          return (
            <g key={one.name}>
              <path className="fill" style={{ fill: color }} d={areaPath(own, axis, isBanded, 0, solidTo)} />
              <path
                className="fill pale"
                style={{ fill: color }}
                d={areaPath(own, axis, isBanded, paleFrom)}
              />
              <path className="ln" style={{ stroke: color }} d={linePath(tops, axis, isBanded, 0, solidTo)} />
            </g>
          );
        }
        return (
          <g key={one.name} style={{ stroke: color }}>
            <path
              className={one.isDashed ? "ln dash" : "ln"}
              d={linePath(one.values, axis, isBanded, 0, solidTo)}
            />
            <path className="ln dash" d={linePath(one.values, axis, isBanded, paleFrom)} />
          </g>
        );
      })}
      {hasAreas && projectedFrom !== undefined && (
        <path
          className="ln dash"
          style={{ stroke: "var(--ink-2)" }}
          d={linePath(total, axis, isBanded, paleFrom)}
        />
      )}
      {limits?.map(({ value }) => (
        <line className="limit" key={value} x1="0" x2="100" y1={yOf(value, axis)} y2={yOf(value, axis)} />
      ))}
    </svg>
  );
}

function Band({ column, count, isBanded }: { column: number; count: number; isBanded: boolean }) {
  const x = xOf(column, count, isBanded);
  if (!isBanded) return <line className="hair" x1={x} x2={x} y1="0" y2="100" />;
  return <rect className="band" x={x - 50 / count} width={100 / count} y="0" height="100" />;
}

function EndLabel({
  plot,
  column,
  count,
  isBanded,
  write,
}: {
  plot: Plot;
  column: number;
  count: number;
  isBanded: boolean;
  write: ChartProps["write"];
}) {
  const value = plot.total[column];
  if (value === null || value === undefined) return null;
  return (
    <span
      className="note end"
      style={{ left: `${xOf(column, count, isBanded)}%`, top: `${yOf(value, plot.axis)}%` }}
    >
      {write(value, null)}
    </span>
  );
}

function Readout({
  columns,
  series,
  write,
  detail,
  before,
  shown,
  total,
  projectedFrom,
}: ChartProps & { shown: number; total: number | null | undefined }) {
  const isProjected = projectedFrom !== undefined && shown >= projectedFrom;
  const earlier = before?.values[shown] ?? null;
  return (
    <div className="readout">
      <div className="chart-at">
        <div className="k">
          {columns[shown]!.label}
          {isProjected && <span className="dim">projected</span>}
        </div>
        {total !== undefined && <div className="v">{total === null ? "" : write(total, null)}</div>}
        {(detail || before) && (
          <div className="u">
            {detail?.(null, shown)}
            {before && earlier !== null && `${before.name}: ${write(earlier, null)}`}
          </div>
        )}
      </div>
      {(series.length > 1 || total === undefined) &&
        series.map((one) => {
          const value = one.values[shown] ?? null;
          return (
            <div key={one.name}>
              <div className="k">
                <i
                  className={`sw${one.shape === "area" || one.shape === "bar" ? "" : one.isDashed ? " dash" : " line"}`}
                  style={
                    one.isDashed ? { color: `var(--${one.color})` } : { background: `var(--${one.color})` }
                  }
                />
                <span className="trunc">{one.name}</span>
              </div>
              <div className="v">{value === null ? "" : write(value, one)}</div>
              {detail && <div className="u">{detail(one, shown)}</div>}
            </div>
          );
        })}
    </div>
  );
}

function spoken(props: ChartProps, plot: Plot, column: number): string {
  const { columns, series, write } = props;
  const total = plot.total[column];
  const each = series.flatMap((one) => {
    const value = one.values[column] ?? null;
    return value === null ? [] : [`${one.name} ${write(value, one)}`];
  });
  const sum = plot.hasTop && series.length > 1 && total !== null && total !== undefined;
  return [columns[column]!.label, ...(sum ? [write(total, null)] : []), ...each].join(", ");
}

/** The same figures as a table, for those who do not see the drawing. */
function DataTable({ sentence, columns, series, before, write, columnName = "Period" }: ChartProps) {
  const id = useId();
  const all = [
    ...series,
    ...(before ? [{ name: before.name, values: before.values, color: "c7" } satisfies Series] : []),
  ];
  return (
    <div className="sr">
      <table aria-labelledby={id}>
        <caption id={id}>{sentence}</caption>
        <thead>
          <tr>
            <th scope="col">{columnName}</th>
            {all.map((one) => (
              <th scope="col" key={one.name}>
                {one.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {columns.map((column, index) => (
            <tr key={column.label}>
              <th scope="row">{column.label}</th>
              {all.map((one) => {
                const value = one.values[index] ?? null;
                return <td key={one.name}>{value === null ? "–" : write(value, one)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Names and colours of series, where no readout has them. */
export function Legend({ series }: { series: readonly Pick<Series, "name" | "color">[] }) {
  return (
    <div className="legend">
      {series.map((one) => (
        <span key={one.name}>
          <i className="sw" style={{ background: `var(--${one.color})` }} />
          {one.name}
        </span>
      ))}
    </div>
  );
}

/** A line the size of a word, in a row of a table. It says nothing that is not in figures beside it, unless it has a label. */
export function Spark({
  values,
  label,
  color = "c1",
}: {
  values: Values;
  label?: string;
  color?: ChartColor;
}) {
  const axis = axisFor(values.filter((value) => value !== null));
  const spans = values.map((value): Span | null => (value === null ? null : [0, value]));
  return (
    <span {...(label && { role: "img", "aria-label": label })}>
      <svg className="spark" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        <path className="fill" style={{ fill: `var(--${color})` }} d={areaPath(spans, axis, false)} />
        <path
          fill="none"
          strokeWidth="1.5"
          style={{ stroke: `var(--${color})` }}
          d={linePath(values, axis, false)}
        />
      </svg>
    </span>
  );
}
