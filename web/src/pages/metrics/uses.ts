/** Where metrics are charged for. */
import { useQueries } from "@tanstack/react-query";
import { read, type Schema } from "@/api/client";
import { useCan } from "@/app/session";

type Plan = Schema<"PlanListOutput">;

/** The plans, to look for charges in. */
export function plansOn() {
  return read("/api/v1/plans", { params: { query: { per_page: "1000" } as never } });
}

/** The plans that charge for a metric. */
export function plansOf(plans: readonly Plan[], metricCode: string): Plan[] {
  return plans.filter((plan) => plan.charges.some((charge) => charge.billable_metric_code === metricCode));
}

/** What a metric's end would touch, counted over the plans that charge for it. */
export function countUses(plans: readonly Plan[], metricCode: string) {
  const found = plansOf(plans, metricCode);
  const charges = found
    .flatMap((plan) => plan.charges)
    .filter((one) => one.billable_metric_code === metricCode);
  return { plans: found.map(({ code }) => code), charges: charges.length };
}

/** How many subscriptions that run are on each of some plans, those with prices of their own included. */
export function useSubscriptionCounts(planCodes: readonly string[]): (code: string) => number | undefined {
  const can = useCan();
  const enabled = can("subscriptions:view");
  const counts = useQueries({
    queries: planCodes.map((code) => ({ ...subscriptionsOn(code), enabled })),
  });
  return (code) => counts[planCodes.indexOf(code)]?.data?.meta.total_count;
}

/** The first of the subscriptions on a plan, for their number. */
export function subscriptionsOn(planCode: string) {
  return read("/api/v1/subscriptions", {
    params: { query: { plan_code: planCode, per_page: "1" } as never },
  });
}
