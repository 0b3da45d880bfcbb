/** Where metrics are charged for. */
import { read, type Schema, WHOLE } from "@/api/client";

type Plan = Schema<"PlanListOutput">;

/** The plans, to look for charges in. */
export function plansOn() {
  return read("/api/v1/plans", { params: { query: WHOLE } });
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
