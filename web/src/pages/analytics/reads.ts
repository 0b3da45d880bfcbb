/** What every report reads: asked for as soon as it is known that reports are to be shown, while their scripts come. */
import type { QueryClient } from "@tanstack/react-query";
import { read } from "@/api/client";
import { granularityOf, isByPeriod } from "./granularity";
import { narrowedBy, type ReportTab } from "./narrowed";

/** The last so many months, as the address has them: one, three, twelve or two years. */
export function monthsOf(search: { months?: unknown }): number {
  const asked = Number(search.months);
  return [1, 3, 12, 24].includes(asked) ? asked : 12;
}

/** What reports are narrowed to by their address. */
export function paramsOf(tab: ReportTab, search: { months?: unknown; entity?: unknown; by?: unknown }) {
  const query = {
    ...(isByPeriod(tab) && { time_granularity: granularityOf(tab, search) }),
    months: String(monthsOf(search)),
    ...(search.entity !== undefined && { billing_entity_code: String(search.entity) }),
    ...narrowedBy(tab, search),
  };
  return { params: { query: query as never } };
}

export function reportReads(params: ReturnType<typeof paramsOf>) {
  return {
    revenue: read("/app/v1/analytics/revenue_streams", params),
    mrr: read("/app/v1/analytics/mrr_movements", params),
    overdue: read("/api/v1/analytics/overdue_balance", params),
    usage: read("/api/v1/analytics/invoiced_usage", params),
    collections: read("/api/v1/analytics/invoice_collection", params),
  };
}

export const entitiesRead = () => read("/api/v1/billing_entities");

export function prefetchReports(
  queries: QueryClient,
  search: Parameters<typeof paramsOf>[1],
  permissions: readonly string[],
): void {
  const reads = reportReads(paramsOf("overview", search));
  void queries.prefetchQuery(reads.revenue);
  void queries.prefetchQuery(reads.mrr);
  void queries.prefetchQuery(reads.overdue);
  void queries.prefetchQuery(reads.usage);
  void queries.prefetchQuery(reads.collections);
  if (permissions.includes("billing_entities:view")) void queries.prefetchQuery(entitiesRead());
}
