/** What the pages of plans ask for. */
import { read, WHOLE } from "@/api/client";

/** So many of what is chosen from are read at once. */
const ALL = { params: { query: WHOLE } };

export const planRead = (code: string) => read("/api/v1/plans/{code}", { params: { path: { code } } });
export const plansRead = () => read("/api/v1/plans", ALL);
export const metricsRead = () => read("/api/v1/billable_metrics", ALL);
export const addOnsRead = () => read("/api/v1/add_ons", ALL);
export const taxesRead = () => read("/api/v1/taxes", ALL);
export const featuresRead = () => read("/api/v1/features", ALL);
export const unitsRead = () => read("/api/v1/pricing_units", ALL);

/** The first of the subscriptions on a plan, for their number. */
export function subscriptionsRead(plan_code: string, filters: Record<string, unknown> = {}) {
  return read("/api/v1/subscriptions", {
    params: { query: { plan_code, per_page: "1", ...filters } as never },
  });
}

export const EVER = { "status[]": ["active", "pending", "terminated", "canceled", "incomplete"] };
