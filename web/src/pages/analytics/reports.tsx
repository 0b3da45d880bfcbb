import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { read } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useNow, useOrganization } from "@/app/session";
import { metricsRead, plansRead } from "@/pages/plans/reads";
import { Segments, Select } from "@/ui/fields";
import { FilterChips, useListState } from "@/ui/list";
import { Page, Tabs } from "@/ui/page";
import { Skeleton } from "@/ui/states";
import { ByPeriod } from "./by-period";
import { Credits, Movements, Streams } from "./dashboards";
import { FirstSteps } from "./first-steps";
import { granularityOf, isByPeriod } from "./granularity";
import { currenciesOf, lastMonths } from "./months";
import { filtersOf, isNarrowedByPlan, narrowedBy, type ReportTab } from "./narrowed";
import { Overview, Receivables } from "./overview";
import type { Report } from "./parts";
import { entitiesRead, monthsOf, paramsOf, reportReads } from "./reads";
import { UsageReport } from "./usage";
import { namesOf, periodsOf } from "./usage-periods";
import "./analytics.css";

const EVERY_ENTITY = "\u0000every";

const TABS = [
  ["overview", "Overview"],
  ["revenue", "Revenue"],
  ["mrr", "MRR"],
  ["usage", "Usage"],
  ["prepaid", "Prepaid credits"],
  ["receivables", "Receivables"],
] as const;

interface Search extends Record<string, unknown> {
  months?: number;
  currency?: string;
  entity?: string;
  by?: string;
  recurring?: boolean;
}

/**
 * What all reports are made of: five figures that are told by what the overview is, and each report's own by more. Asked for
 * in the same moment, so that they travel as one request; each fails alone.
 */
function useReads(tab: ReportTab, search: Search) {
  const now = useNow();
  const figures = reportReads(paramsOf("overview", search));
  const params = paramsOf(tab, search);
  const granularity = granularityOf(tab, search);
  const recurring = search.recurring === undefined ? undefined : String(search.recurring);
  const months = lastMonths(now, monthsOf(search));
  const usage = {
    time_granularity: granularity,
    from_date: periodsOf(granularity, now, months, { areOver: true })[0]!,
    ...(recurring && { is_billable_metric_recurring: recurring }),
    ...narrowedBy(tab, search),
  };
  const ofTab = (one: ReportTab) => ({ enabled: tab === one });
  return {
    figures: {
      revenue: useQuery(figures.revenue),
      mrr: useQuery(figures.mrr),
      overdue: useQuery(figures.overdue),
      usage: useQuery(figures.usage),
      collections: useQuery(figures.collections),
    },
    streams: useQuery({ ...read("/app/v1/analytics/revenue_streams", params), ...ofTab("revenue") }),
    plans: useQuery({ ...read("/app/v1/analytics/revenue_by_plan", params), ...ofTab("revenue") }),
    customers: useQuery({ ...read("/app/v1/analytics/revenue_by_customer", params), ...ofTab("revenue") }),
    movements: useQuery({ ...read("/app/v1/analytics/mrr_movements", params), ...ofTab("mrr") }),
    recurring: useQuery({ ...read("/app/v1/analytics/mrr_by_plan", params), ...ofTab("mrr") }),
    credits: useQuery({ ...read("/app/v1/analytics/prepaid_credits", params), ...ofTab("prepaid") }),
    used: useQuery({
      ...read("/api/v1/analytics/usage", { params: { query: usage as never } }),
      ...ofTab("usage"),
    }),
  };
}

/** Whether a read has come, or failed at its first try: what is asked again keeps nothing else waiting. */
function hasAnswered({ data, failureCount }: UseQueryResult): boolean {
  return data !== undefined || failureCount > 0;
}

export function Analytics() {
  const { tab } = useParams({ strict: false }) as { tab: ReportTab };
  const can = useCan();
  const { default_currency } = useOrganization();
  const now = useNow();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as Search;
  const list = useListState();
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
  const reads = useReads(tab, search);
  const { revenue, mrr, overdue, usage, collections } = reads.figures;
  const currencies = currenciesOf(
    [
      revenue.data?.revenue_streams,
      mrr.data?.mrr_movements,
      usage.data?.invoiced_usages,
      overdue.data?.overdue_balances,
      reads.credits.data?.prepaid_credits,
      reads.used.data?.usages.map((one) => ({ currency: one.amount_currency })),
    ],
    default_currency,
  );
  const currency = currencies.includes(search.currency ?? "")
    ? search.currency!
    : defaultOf(currencies, revenue.data?.revenue_streams ?? []);
  const months = lastMonths(now, monthsOf(search));
  const report: Report = { months, periods: periodsOf(granularity, now, months), granularity, currency };
  const set = (changes: Record<string, unknown>) =>
    void navigate({ to: ".", search: ((before: object) => ({ ...before, ...changes })) as never });
  const isEmpty =
    search.entity === undefined &&
    Object.keys(narrowedBy("overview", search)).length === 0 &&
    revenue.data?.revenue_streams.every((one) => one.gross_amount_cents === 0) &&
    collections.data?.invoice_collections.every((one) => one.amount_cents === 0);
  // What is shown at all, and in which currency, follows from these two.
  const isKnown = hasAnswered(revenue) && hasAnswered(collections);
  const bodies: Record<ReportTab, () => ReactNode> = {
    overview: () => <Overview report={report} figures={reads.figures} names={names} />,
    revenue: () => (
      <Streams
        report={report}
        streams={reads.streams}
        plans={reads.plans}
        customers={reads.customers}
        isOfPlan={isOfPlan}
      />
    ),
    mrr: () => (
      <Movements report={report} movements={reads.movements} plans={reads.recurring} isOfPlan={isOfPlan} />
    ),
    usage: () => <UsageReport report={report} used={reads.used} names={names} search={search} set={set} />,
    prepaid: () => <Credits report={report} credits={reads.credits} />,
    receivables: () => <Receivables report={report} figures={reads.figures} />,
  };
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
                  value={String(months.length) as "12"}
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
          {isKnown ? (
            (bodies[tab] ?? bodies.overview)()
          ) : (
            <div className="stack skeleton-rows">
              <Skeleton width="70%" />
              <Skeleton width="90%" />
              <Skeleton width="50%" />
            </div>
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
