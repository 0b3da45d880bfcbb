import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ArrowDown, ArrowUp } from "lucide-react";
import type { ReactNode } from "react";
import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useNow, useOrganization } from "@/app/session";
import { month as monthName } from "@/lib/dates";
import { metricsRead, plansRead } from "@/pages/plans/reads";
import { Money } from "@/ui/amounts";
import { Section, Stat } from "@/ui/basics";
import { type ChartColor, type Series, Spark } from "@/ui/chart";
import { Segments, Select } from "@/ui/fields";
import { FilterChips, useListState } from "@/ui/list";
import { Page, Tabs } from "@/ui/page";
import { ErrorBlock, Loaded, Skeleton } from "@/ui/states";
import { lookOf } from "@/ui/status";
import { Table } from "@/ui/table";
import { ByPeriod } from "./by-period";
import { Credits, Movements, Streams } from "./dashboards";
import { FirstSteps } from "./first-steps";
import { type Granularity, granularityOf, isByPeriod } from "./granularity";
import { byMonth, change, currenciesOf, lastMonths, monthsFrom } from "./months";
import { filtersOf, isNarrowedByPlan, narrowedBy, type ReportTab } from "./narrowed";
import { entitiesRead, monthsOf, paramsOf, reportReads } from "./reads";
import { sum, Trend } from "./trend";
import { MetricName, UsageReport } from "./usage";
import { type MetricNames, namesOf, periodsOf } from "./usage-periods";
import "./analytics.css";

type Collection = Schema<"CollectionOutput">;
type InvoicedUsage = Schema<"InvoicedUsageOutput">;

const EVERY_ENTITY = "\u0000every";

const TABS = [
  ["overview", "Overview"],
  ["revenue", "Revenue"],
  ["mrr", "MRR"],
  ["usage", "Usage"],
  ["prepaid", "Prepaid credits"],
  ["receivables", "Receivables"],
] as const;

interface Part {
  data: unknown;
  error: unknown;
  refetch: () => unknown;
}

/** What the reports show: the months, the currency, and the answers. */
interface Report {
  months: string[];
  /** The first days of what its own figures are summed by. */
  periods: string[];
  granularity: Granularity;
  currency: string;
  /** Whether each has come: one that has not fails alone. */
  parts: Record<"revenue" | "mrr" | "overdue" | "usage" | "collections", Part>;
  /** Fees before coupons and tax, as the report of revenue has them, and what of them was for usage. */
  revenue: number[];
  usageRevenue: number[];
  /** What recurs at the end of each month, as the report of MRR has it. */
  mrr: number[];
  overdue: number[];
  usage: InvoicedUsage[];
  collections: Collection[];
}

export function Analytics() {
  const { tab } = useParams({ strict: false }) as { tab: ReportTab };
  const can = useCan();
  const { default_currency } = useOrganization();
  const now = useNow();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as Record<string, unknown> & {
    months?: number;
    currency?: string;
    entity?: string;
    by?: string;
    recurring?: boolean;
  };
  const list = useListState();
  const count = monthsOf(search);
  // Five figures are told by what the overview is; each report's own by more.
  const reads = reportReads(paramsOf("overview", search));
  const params = paramsOf(tab, search);
  const granularity = granularityOf(tab, search);
  const narrowed = narrowedBy(tab, search);
  const isOfPlan = "plan_code" in narrowed || "external_subscription_id" in narrowed;
  const entities = useQuery({ ...entitiesRead(), enabled: can("billing_entities:view") });
  const known = entities.data?.billing_entities ?? [];
  const plans = useQuery({ ...plansRead(), enabled: can("plans:view") && isNarrowedByPlan(tab) });
  const metrics = useQuery({
    ...metricsRead(),
    enabled: can("billable_metrics:view") && (tab === "usage" || tab === "overview"),
  });
  const names = namesOf(metrics.data?.billable_metrics ?? []);
  const filters = filtersOf(tab, {
    plans: plans.data?.plans ?? [],
    metrics: metrics.data?.billable_metrics ?? [],
  });
  const revenue = useQuery(reads.revenue);
  const mrr = useQuery(reads.mrr);
  const overdue = useQuery(reads.overdue);
  const usage = useQuery(reads.usage);
  const collections = useQuery(reads.collections);
  const streams = useQuery({
    ...read("/app/v1/analytics/revenue_streams", params),
    enabled: tab === "revenue",
  });
  const movements = useQuery({ ...read("/app/v1/analytics/mrr_movements", params), enabled: tab === "mrr" });
  const credits = useQuery({
    ...read("/app/v1/analytics/prepaid_credits", params),
    enabled: tab === "prepaid",
  });
  const recurring = search.recurring === undefined ? undefined : String(search.recurring);
  const used = useQuery({
    ...read("/api/v1/analytics/usage", {
      params: {
        query: {
          time_granularity: granularity,
          from_date: periodsOf(granularity, now, lastMonths(now, count), { areOver: true })[0]!,
          ...(recurring && { is_billable_metric_recurring: recurring }),
          ...narrowed,
        } as never,
      },
    }),
    enabled: tab === "usage",
  });
  const parts = { revenue, mrr, overdue, usage, collections };
  const billed = revenue.data?.revenue_streams ?? [];
  const running = mrr.data?.mrr_movements ?? [];
  const isReady = Object.values(parts).every((query) => query.data || query.error);
  const currencies = currenciesOf(
    [
      revenue.data?.revenue_streams,
      mrr.data?.mrr_movements,
      usage.data?.invoiced_usages,
      overdue.data?.overdue_balances,
    ],
    default_currency,
  );
  const currency = currencies.includes(search.currency ?? "")
    ? search.currency!
    : defaultOf(currencies, billed);
  const months = lastMonths(now, count);
  const set = (changes: Record<string, unknown>) =>
    void navigate({ to: ".", search: ((before: object) => ({ ...before, ...changes })) as never });
  const report: Report | null = isReady
    ? {
        months,
        periods: periodsOf(granularity, now, months),
        granularity,
        currency,
        parts,
        revenue: byMonth(monthsFrom(billed, "gross_amount_cents"), months, currency),
        usageRevenue: byMonth(monthsFrom(billed, "usage_based_fee_amount_cents"), months, currency),
        mrr: byMonth(monthsFrom(running, "ending_amount_cents"), months, currency),
        overdue: byMonth(overdue.data?.overdue_balances ?? [], months, currency),
        usage: usage.data?.invoiced_usages.filter((one) => one.currency === currency) ?? [],
        collections: collections.data?.invoice_collections.filter((one) => one.currency === currency) ?? [],
      }
    : null;
  const isEmpty =
    search.entity === undefined &&
    Object.keys(narrowedBy("overview", search)).length === 0 &&
    revenue.data?.revenue_streams.every((one) => one.gross_amount_cents === 0) &&
    collections.data?.invoice_collections.every((one) => one.amount_cents === 0);
  return (
    <Page title="Analytics">
      <Tabs label="Reports" tabs={TABS.map(([key, label]) => ({ label, href: paths.analytics(key) }))} />
      {isEmpty ? (
        <FirstSteps />
      ) : (
        <>
          <div className="report-bar">
            <Select
              isTool
              aria-label="Currency"
              value={currency}
              options={currencies.map((value) => ({ value, label: value }))}
              onChange={(value) => set({ currency: value })}
            />
            {known.length > 1 && tab !== "usage" && (
              <Select
                isTool
                aria-label="Billing entity"
                value={search.entity ?? EVERY_ENTITY}
                options={[
                  { value: EVERY_ENTITY, label: "All entities" },
                  ...known.map((one) => ({ value: one.code, label: one.name })),
                ]}
                onChange={(value) => set({ entity: value === EVERY_ENTITY ? undefined : value })}
              />
            )}
            <FilterChips filters={filters} controls={list} />
            <div className="push">
              {isByPeriod(tab) && <ByPeriod granularity={granularity} set={set} />}
              {granularity === "monthly" && (
                <Segments
                  label="Period"
                  value={String(count) as "12"}
                  options={[
                    { value: "1", label: "Month" },
                    { value: "3", label: "Quarter" },
                    { value: "12", label: "12 months" },
                    { value: "24", label: "24 months" },
                  ]}
                  onChange={(value) => set({ months: Number(value) })}
                />
              )}
            </div>
          </div>
          {!report ? (
            <div className="stack skeleton-rows">
              <Skeleton width="70%" />
              <Skeleton width="90%" />
              <Skeleton width="50%" />
            </div>
          ) : tab === "revenue" ? (
            <Loaded query={streams} what="Revenue" skeleton={<Skeleton width="80%" />}>
              {(answer) => <Streams report={report} answer={answer} isOfPlan={isOfPlan} />}
            </Loaded>
          ) : tab === "mrr" ? (
            <Loaded query={movements} what="The movements" skeleton={<Skeleton width="80%" />}>
              {(answer) => <Movements report={report} answer={answer} isOfPlan={isOfPlan} />}
            </Loaded>
          ) : tab === "prepaid" ? (
            <Loaded query={credits} what="Prepaid credits" skeleton={<Skeleton width="80%" />}>
              {({ prepaid_credits }) => <Credits report={report} answer={prepaid_credits} />}
            </Loaded>
          ) : tab === "usage" ? (
            <Loaded query={used} what="Usage" skeleton={<Skeleton width="80%" />}>
              {({ usages }) => (
                <UsageReport
                  report={report}
                  granularity={granularity}
                  kind={recurring ?? "all"}
                  usages={usages}
                  names={names}
                  set={set}
                />
              )}
            </Loaded>
          ) : tab === "receivables" ? (
            <Receivables report={report} />
          ) : (
            <Overview report={report} names={names} />
          )}
        </>
      )}
    </Page>
  );
}

function defaultOf(
  currencies: string[],
  revenues: readonly { currency: string; gross_amount_cents: number }[],
): string {
  const has = (currency: string) =>
    revenues.some((one) => one.currency === currency && one.gross_amount_cents > 0);
  return currencies.find(has) ?? currencies[0]!;
}

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

/** A section of a report, which fails alone. */
function OfPart({ part, what, children }: { part: Part; what: string; children: ReactNode }) {
  if (part.data !== undefined) return children;
  return (
    <Section title={what}>
      <ErrorBlock what={what} error={part.error} onRetry={() => void part.refetch()} />
    </Section>
  );
}

/** A figure of a part, where that has come. */
function Figure({ part, cents, currency }: { part: Part; cents: number; currency: string }) {
  return part.data === undefined ? <>–</> : <Money cents={cents} currency={currency} isZeroPlain />;
}

function Overview({ report, names }: { report: Report; names: MetricNames }) {
  const { months, currency, mrr, revenue, usageRevenue, overdue, parts } = report;
  const last = months.length - 1;
  const name = (index: number) => monthName(`${months[index]}-01`, undefined, "short");
  const usageShare = revenue[last]
    ? Math.round(((usageRevenue[last] ?? 0) / revenue[last]) * 1000) / 10
    : null;
  const since = last > 0 ? name(last - 1) : null;
  return (
    <>
      <div className="stats report">
        <Stat
          name={`MRR, ${name(last)}`}
          value={<Figure part={parts.mrr} cents={mrr[last] ?? 0} currency={currency} />}
          detail={since && <Change now={mrr[last] ?? 0} before={mrr[last - 1] ?? 0} since={since} />}
        />
        <Stat
          name={`Gross revenue, ${name(last)}`}
          value={<Figure part={parts.revenue} cents={revenue[last] ?? 0} currency={currency} />}
          detail={since && <Change now={revenue[last] ?? 0} before={revenue[last - 1] ?? 0} since={since} />}
        />
        <Stat
          name={`Usage share, ${name(last)}`}
          value={usageShare === null ? "–" : `${usageShare.toLocaleString()}%`}
          detail="of gross revenue"
        />
        <Stat
          name="Overdue"
          value={<Figure part={parts.overdue} cents={sum(overdue)} currency={currency} />}
          detail={
            <Link className="link" to={overdueInvoices()}>
              See invoices
            </Link>
          }
        />
      </div>
      <OfPart part={parts.mrr} what="Monthly recurring revenue">
        <Trend
          title="Monthly recurring revenue"
          report={report}
          rows={[{ name: "MRR", color: "c1", values: mrr, shape: "area" }]}
        />
      </OfPart>
      <div className="report-pair sec">
        <OfPart part={parts.revenue} what="Gross revenue">
          <Trend
            title="Gross revenue"
            report={report}
            rows={[{ name: "Gross revenue", color: "c1", values: revenue, shape: "bar" }]}
            isPlain
          />
        </OfPart>
        <OfPart part={parts.usage} what="Invoiced usage by metric">
          <MetricTable report={report} names={names} />
        </OfPart>
      </div>
      <div className="report-pair sec">
        <CollectionChart report={report} />
        <OverdueChart report={report} isPlain />
      </div>
    </>
  );
}

interface OfMetric {
  code: string;
  values: number[];
}

function metricsOf(report: Report): OfMetric[] {
  const groups = Map.groupBy(report.usage, (one) => one.code);
  return [...groups]
    .map(([code, amounts]) => ({ code, values: byMonth(amounts, report.months, report.currency) }))
    .sort((one, other) => sum(other.values) - sum(one.values));
}

function MetricTable({ report, names }: { report: Report; names: MetricNames }) {
  const metrics = metricsOf(report);
  const last = report.months.length - 1;
  return (
    <Section
      title="Invoiced usage by metric"
      meta={last === 0 ? "this month" : `last ${report.months.length} months`}
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
              head: monthName(`${report.months[last]}-01`, undefined, "short"),
              isNumber: true,
              isLow: true,
              cell: (one) => <Money cents={one.values[last] ?? 0} currency={report.currency} />,
            },
            {
              head: "Total",
              isNumber: true,
              fold: "f2",
              cell: (one) => <Money cents={sum(one.values)} currency={report.currency} />,
            },
          ]}
          rows={metrics.slice(0, 8)}
          keyOf={(one) => one.code}
          hrefOf={(one) => paths.metrics.show(one.code)}
        />
      )}
    </Section>
  );
}

const STATUS_COLORS: Record<string, ChartColor> = { succeeded: "c4", pending: "c2", failed: "c5" };

function OverdueChart({ report, isPlain }: { report: Report; isPlain?: boolean }) {
  return (
    <OfPart part={report.parts.overdue} what="Overdue">
      <Trend
        title="Overdue, by the month it fell due"
        report={report}
        rows={[{ name: "Overdue", color: "c5", values: report.overdue, shape: "bar" }]}
        isPlain={isPlain ?? false}
      />
    </OfPart>
  );
}

function CollectionChart({ report }: { report: Report }) {
  const rows: Series[] = Object.entries(STATUS_COLORS).map(([status, color]) => ({
    name: lookOf(status).word,
    color,
    values: byMonth(
      report.collections.filter((one) => one.payment_status === status),
      report.months,
      report.currency,
    ),
    shape: "bar",
  }));
  return (
    <OfPart part={report.parts.collections} what="Invoices by payment status">
      <Trend title="Invoices by payment status, with tax" report={report} rows={rows} isPlain />
    </OfPart>
  );
}

function Receivables({ report }: { report: Report }) {
  return (
    <>
      <div className="stats report">
        <Stat
          name="Overdue"
          value={
            <Figure part={report.parts.overdue} cents={sum(report.overdue)} currency={report.currency} />
          }
        />
        {Object.keys(STATUS_COLORS).map((status) => {
          const ofStatus = report.collections.filter((one) => one.payment_status === status);
          return (
            <Stat
              key={status}
              name={lookOf(status).word}
              value={
                <Figure
                  part={report.parts.collections}
                  cents={sum(ofStatus.map((one) => one.amount_cents))}
                  currency={report.currency}
                />
              }
              detail={`${sum(ofStatus.map((one) => one.invoices_count)).toLocaleString()} invoices`}
            />
          );
        })}
      </div>
      <CollectionChart report={report} />
      <OverdueChart report={report} />
    </>
  );
}

function overdueInvoices(): string {
  return `${paths.invoices.list()}?payment_overdue=true`;
}
