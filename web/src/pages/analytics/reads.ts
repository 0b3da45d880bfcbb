/** What every report reads: asked for as soon as it is known that reports are to be shown, while their scripts come. */
import type { QueryClient } from "@tanstack/react-query";
import { read } from "@/api/client";

/** The last so many months, as the address has them: one, three, twelve or two years. */
export function monthsOf(search: { months?: unknown }): number {
  const asked = Number(search.months);
  return [1, 3, 12, 24].includes(asked) ? asked : 12;
}

export function reportReads(months: number) {
  const params = { params: { query: { months: String(months) } as never } };
  return {
    revenue: read("/api/v1/analytics/gross_revenue", params),
    mrr: read("/api/v1/analytics/mrr", params),
    overdue: read("/api/v1/analytics/overdue_balance", params),
    usage: read("/api/v1/analytics/invoiced_usage", params),
    collections: read("/api/v1/analytics/invoice_collection", params),
  };
}

export function prefetchReports(queries: QueryClient, months: number): void {
  const reads = reportReads(months);
  void queries.prefetchQuery(reads.revenue);
  void queries.prefetchQuery(reads.mrr);
  void queries.prefetchQuery(reads.overdue);
  void queries.prefetchQuery(reads.usage);
  void queries.prefetchQuery(reads.collections);
}
