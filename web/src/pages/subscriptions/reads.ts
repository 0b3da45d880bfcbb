import { useQuery } from "@tanstack/react-query";
import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { metricsRead } from "@/pages/plans/reads";

export type Detailed = Schema<"DetailedSubscriptionOutput">;
export type Metric = Schema<"MetricOutput">;
type Listed = Schema<"SubscriptionOutput">;

export const EVERY_STATUS = ["active", "pending", "incomplete", "canceled", "terminated"];

/** A subscription in a status: its external id names the one that runs, unless another is asked for. */
export function useSubscription(id: string, status: string | undefined) {
  return useQuery(
    read("/api/v1/subscriptions/{external_id}", {
      params: { path: { external_id: id }, query: status ? { status } : {} },
    }),
  );
}

/** The metrics that charges are for, with what they filter by. */
export function useMetrics(): readonly Metric[] {
  const can = useCan();
  const metrics = useQuery({ ...metricsRead(), enabled: can("billable_metrics:view") });
  return metrics.data?.billable_metrics ?? [];
}

/** Where a subscription is shown; of one that does not run the status is part of its address. */
export function hrefOfSubscription(one: Listed, tab?: string): string {
  const path = paths.subscriptions.show(one.external_customer_id, one.external_id, tab);
  return one.status === "active" ? path : `${path}?status=${one.status}`;
}

/** The status that paths of a subscription's own resources are asked with. */
export const inStatus = (one: { status: string }) => ({ subscription_status: one.status });
