/** What is sold: metrics, plans, features, add-ons, coupons. */
import * as metrics from "@/pages/metrics/routes";

export const shell = [...metrics.shell];
export const full = [...metrics.full];
