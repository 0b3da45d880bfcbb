/** The overview, and what is owed: figures by months, each section by the read that it shows (ui §4). */
import { Link } from "@tanstack/react-router";
import { ArrowDown, ArrowUp } from "lucide-react";
import type { ReactNode } from "react";
import type { Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { month as monthName } from "@/lib/dates";
import { countWords } from "@/lib/words";
import { Money } from "@/ui/amounts";
import { Section, Stat } from "@/ui/basics";
import { type ChartColor, Spark } from "@/ui/chart";
import { type QueryLike, Skeleton } from "@/ui/states";
import { lookOf } from "@/ui/status";
import { Table } from "@/ui/table";
import { byMonth, change, monthsFrom } from "./months";
import { OfPart, type Report } from "./parts";
import { sum, Trend } from "./trend";
import { MetricName } from "./usage";
import type { MetricNames } from "./usage-periods";

/** What both of them read. */
export interface Figures {
  revenue: QueryLike<Schema<"RevenueStreamsResponse">>;
  mrr: QueryLike<Schema<"MovementsResponse">>;
  overdue: QueryLike<Schema<"OverdueBalancesResponse">>;
  usage: QueryLike<Schema<"InvoicedUsagesResponse">>;
  collections: QueryLike<Schema<"CollectionsResponse">>;
}

interface Props {
  report: Report;
  figures: Figures;
}

type Streams = readonly Schema<"RevenueStreamsOutput">[];
type Overdue = readonly Schema<"OverdueBalanceOutput">[];
type Movements = readonly Schema<"MovementOutput">[];

/** Fees before coupons and tax, as the report of revenue has them. */
const grossOf = (rows: Streams, { months, currency }: Report) =>
  byMonth(monthsFrom(rows, "gross_amount_cents"), months, currency);

/** What recurs at the end of each month, as the report of MRR has it. */
const recurringOf = (rows: Movements, { months, currency }: Report) =>
  byMonth(monthsFrom(rows, "ending_amount_cents"), months, currency);

const overdueOf = (rows: Overdue, { months, currency }: Report) => byMonth(rows, months, currency);

export function Overview({ report, figures, names }: Props & { names: MetricNames }) {
  const { months, currency } = report;
  const { revenue, mrr, usage } = figures;
  return (
    <>
      <div className="stats report">
        <LastMonth
          name="MRR"
          part={mrr}
          months={months}
          currency={currency}
          valuesOf={({ mrr_movements: rows }) => recurringOf(rows, report)}
        />
        <LastMonth
          name="Gross revenue"
          part={revenue}
          months={months}
          currency={currency}
          valuesOf={({ revenue_streams: rows }) => grossOf(rows, report)}
        />
        <Stat
          name={`Usage share, ${shortName(months.at(-1)!)}`}
          value={
            <Figure part={revenue}>{({ revenue_streams: rows }) => usageShare(rows, report) ?? "–"}</Figure>
          }
          detail="of gross revenue"
        />
        <OverdueStat report={report} figures={figures}>
          <Link className="link" to={`${paths.invoices.list()}?payment_overdue=true`}>
            See invoices
          </Link>
        </OverdueStat>
      </div>
      <OfPart title="Monthly recurring revenue" part={mrr}>
        {({ mrr_movements: rows }) => (
          <Trend
            title="Monthly recurring revenue"
            report={report}
            rows={[{ name: "MRR", color: "c1", values: recurringOf(rows, report), shape: "area" }]}
          />
        )}
      </OfPart>
      <div className="report-pair sec">
        <OfPart title="Gross revenue" part={revenue}>
          {({ revenue_streams: rows }) => (
            <Trend
              title="Gross revenue"
              report={report}
              rows={[{ name: "Gross revenue", color: "c1", values: grossOf(rows, report), shape: "area" }]}
              isPlain
            />
          )}
        </OfPart>
        <OfPart title="Invoiced usage by metric" part={usage}>
          {({ invoiced_usages: rows }) => <MetricTable report={report} rows={rows} names={names} />}
        </OfPart>
      </div>
      <div className="report-pair sec">
        <CollectionChart report={report} part={figures.collections} />
        <OverdueChart report={report} part={figures.overdue} isPlain />
      </div>
    </>
  );
}

export function Receivables({ report, figures }: Props) {
  const { months, currency } = report;
  return (
    <>
      <div className="stats report">
        <OverdueStat report={report} figures={figures} />
        {Object.keys(STATUS_COLORS).map((status) => {
          const rowsOf = ({ invoice_collections: rows }: Schema<"CollectionsResponse">) =>
            rows.filter((one) => one.currency === currency && one.payment_status === status);
          const { data } = figures.collections;
          return (
            <Stat
              key={status}
              name={lookOf(status).word}
              value={
                <Figure part={figures.collections}>
                  {(answer) => (
                    <Money
                      cents={sum(byMonth(rowsOf(answer), months, currency))}
                      currency={currency}
                      isZeroPlain
                    />
                  )}
                </Figure>
              }
              detail={data && countWords(sum(rowsOf(data).map((one) => one.invoices_count)), "invoice")}
            />
          );
        })}
      </div>
      <CollectionChart report={report} part={figures.collections} />
      <OverdueChart report={report} part={figures.overdue} />
    </>
  );
}

/** A figure of a part. Where that could not be read, the section below says so, and asks again. */
function Figure<Data>({ part, children }: { part: QueryLike<Data>; children: (data: Data) => ReactNode }) {
  if (part.data !== undefined) return children(part.data);
  return part.error ? <span className="dim">–</span> : <Skeleton width={90} />;
}

interface LastMonthProps<Data> {
  name: string;
  part: QueryLike<Data>;
  months: readonly string[];
  currency: string;
  /** Minor units by month. */
  valuesOf: (data: Data) => readonly number[];
}

/** What the last month came to, and how that is on the month before. */
function LastMonth<Data>({ name, part, months, currency, valuesOf }: LastMonthProps<Data>) {
  const values = part.data !== undefined && valuesOf(part.data);
  const before = months.at(-2);
  return (
    <Stat
      name={`${name}, ${shortName(months.at(-1)!)}`}
      value={
        <Figure part={part}>
          {(data) => <Money cents={valuesOf(data).at(-1) ?? 0} currency={currency} isZeroPlain />}
        </Figure>
      }
      detail={
        values &&
        before && <Change now={values.at(-1) ?? 0} before={values.at(-2) ?? 0} since={shortName(before)} />
      }
    />
  );
}

const shortName = (month: string) => monthName(`${month}-01`, undefined, "short");

function Change({ now, before, since }: { now: number; before: number; since: string }) {
  const percent = change(now, before);
  if (percent === null) return <>–</>;
  if (percent === 0) return <>as in {since}</>;
  return (
    <>
      <span className={percent >= 0 ? "delta up" : "delta down"}>
        {percent >= 0 ? (
          <ArrowUp className="i" aria-label="up" />
        ) : (
          <ArrowDown className="i" aria-label="down" />
        )}
        {Math.abs(percent).toLocaleString()}%
      </span>{" "}
      on {since}
    </>
  );
}

/** What of the last month's gross revenue was for usage; null where there was none. */
function usageShare(rows: Streams, report: Report): string | null {
  const { months, currency } = report;
  const gross = grossOf(rows, report).at(-1) ?? 0;
  const used = byMonth(monthsFrom(rows, "usage_based_fee_amount_cents"), months, currency).at(-1) ?? 0;
  return gross === 0 ? null : `${(Math.round((used / gross) * 1000) / 10).toLocaleString()}%`;
}

function OverdueStat({ report, figures, children }: Props & { children?: ReactNode }) {
  return (
    <Stat
      name="Overdue"
      value={
        <Figure part={figures.overdue}>
          {({ overdue_balances: rows }) => (
            <Money cents={sum(overdueOf(rows, report))} currency={report.currency} isZeroPlain />
          )}
        </Figure>
      }
      detail={children}
    />
  );
}

type InvoicedUsage = Schema<"InvoicedUsageOutput">;

interface OfMetric {
  code: string;
  values: number[];
}

function metricsOf(rows: readonly InvoicedUsage[], { months, currency }: Report): OfMetric[] {
  const groups = Map.groupBy(
    rows.filter((one) => one.currency === currency),
    (one) => one.code,
  );
  return [...groups]
    .map(([code, amounts]) => ({ code, values: byMonth(amounts, months, currency) }))
    .sort((one, other) => sum(other.values) - sum(one.values));
}

interface MetricTableProps {
  report: Report;
  rows: readonly InvoicedUsage[];
  names: MetricNames;
}

function MetricTable({ report, rows, names }: MetricTableProps) {
  const { months, currency } = report;
  const can = useCan();
  const metrics = metricsOf(rows, report);
  const last = months.length - 1;
  return (
    <Section
      title="Invoiced usage by metric"
      meta={last === 0 ? "this month" : `last ${months.length} months`}
    >
      {metrics.length === 0 ? (
        <p className="dim">No usage was invoiced in this period.</p>
      ) : (
        <Table
          label="Invoiced usage by metric"
          columns={[
            { head: "Metric", fold: "f1", cell: (one) => <MetricName code={one.code} names={names} /> },
            { head: "Months", isLow: true, cell: (one) => <Spark values={one.values} /> },
            {
              head: shortName(months[last]!),
              isNumber: true,
              isLow: true,
              cell: (one) => <Money cents={one.values[last] ?? 0} currency={currency} />,
            },
            {
              head: "Total",
              isNumber: true,
              fold: "f2",
              cell: (one) => <Money cents={sum(one.values)} currency={currency} />,
            },
          ]}
          rows={metrics.slice(0, 8)}
          keyOf={(one) => one.code}
          {...(can("billable_metrics:view") && {
            hrefOf: (one: OfMetric) => paths.metrics.show(one.code),
          })}
        />
      )}
    </Section>
  );
}

const STATUS_COLORS: Record<string, ChartColor> = { succeeded: "c4", pending: "c2", failed: "c5" };

interface ChartProps<Part extends keyof Figures> {
  report: Report;
  part: Figures[Part];
  isPlain?: boolean;
}

function OverdueChart({ report, part, isPlain = false }: ChartProps<"overdue">) {
  return (
    <OfPart title="Overdue" part={part}>
      {({ overdue_balances: rows }) => (
        <Trend
          title="Overdue, by the month it fell due"
          report={report}
          rows={[{ name: "Overdue", color: "c5", values: overdueOf(rows, report), shape: "bar" }]}
          isPlain={isPlain}
        />
      )}
    </OfPart>
  );
}

function CollectionChart({ report, part }: ChartProps<"collections">) {
  const { months, currency } = report;
  return (
    <OfPart title="Invoices by payment status" part={part}>
      {({ invoice_collections: rows }) => (
        <Trend
          title="Invoices by payment status, with tax"
          report={report}
          rows={Object.entries(STATUS_COLORS).map(([status, color]) => ({
            name: lookOf(status).word,
            color,
            values: byMonth(
              rows.filter((one) => one.payment_status === status),
              months,
              currency,
            ),
            shape: "bar",
          }))}
          isPlain
        />
      )}
    </OfPart>
  );
}
