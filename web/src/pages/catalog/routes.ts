/** What is sold: metrics, plans, features, add-ons, coupons. */
import * as addOns from "@/pages/add-ons/routes";
import * as coupons from "@/pages/coupons/routes";
import * as features from "@/pages/features/routes";
import * as metrics from "@/pages/metrics/routes";
import * as plans from "@/pages/plans/routes";

export const shell = [...metrics.shell, ...plans.shell, ...features.shell, ...addOns.shell, ...coupons.shell];
export const full = [...metrics.full, ...plans.full, ...features.full, ...addOns.full, ...coupons.full];
