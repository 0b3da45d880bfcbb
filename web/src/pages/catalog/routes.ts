/** What is sold: metrics, plans, features, add-ons, coupons. */
import * as metrics from "@/pages/metrics/routes";
import * as plans from "@/pages/plans/routes";

export const shell = [...metrics.shell, ...plans.shell];
export const full = [...metrics.full, ...plans.full];
