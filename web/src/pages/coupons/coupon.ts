/** Coupons: in words, and the way from the form to the wire and back. */

import type { Schema } from "@/api/client";
import { money, percent, toCents, toDecimal } from "@/lib/money";
import { countWords } from "@/lib/words";

export type Coupon = Schema<"CouponOutput">;

export interface CouponForm {
  name: string;
  code: string;
  description: string;
  coupon_type: "fixed_amount" | "percentage";
  amount: string;
  currency: string;
  percentage_rate: string;
  frequency: "once" | "recurring" | "forever";
  frequency_duration: string;
  reusable: boolean;
  /** The last day on which it can be given, or "". */
  expires_on: string;
  limit: "none" | "plans" | "metrics";
  plan_codes: string[];
  billable_metric_codes: string[];
}

export const NEW_COUPON: CouponForm = {
  name: "",
  code: "",
  description: "",
  coupon_type: "percentage",
  amount: "",
  currency: "EUR",
  percentage_rate: "",
  frequency: "once",
  frequency_duration: "3",
  reusable: true,
  expires_on: "",
  limit: "none",
  plan_codes: [],
  billable_metric_codes: [],
};

/** A coupon as the form has it. */
export function readCoupon(coupon: Coupon): CouponForm {
  const currency = coupon.amount_currency ?? "EUR";
  return {
    name: coupon.name,
    code: coupon.code,
    description: coupon.description ?? "",
    coupon_type: coupon.coupon_type as CouponForm["coupon_type"],
    amount: coupon.amount_cents === null ? "" : toDecimal(coupon.amount_cents, currency),
    currency,
    percentage_rate: coupon.percentage_rate ?? "",
    frequency: coupon.frequency as CouponForm["frequency"],
    frequency_duration: String(coupon.frequency_duration ?? ""),
    reusable: coupon.reusable,
    expires_on: coupon.expiration_at?.slice(0, 10) ?? "",
    limit: coupon.limited_plans ? "plans" : coupon.limited_billable_metrics ? "metrics" : "none",
    plan_codes: coupon.plan_codes,
    billable_metric_codes: coupon.billable_metric_codes,
  };
}

/** The form as the API takes it. A day ends with its last second, in UTC; an end that was not touched stays as it was. */
export function writeCoupon(form: CouponForm, saved?: Coupon): Schema<"CouponCreateInput"> {
  const isAmount = form.coupon_type === "fixed_amount";
  const isKept = saved?.expiration_at && saved.expiration_at.slice(0, 10) === form.expires_on;
  return {
    name: form.name.trim(),
    code: form.code.trim(),
    description: form.description.trim() || null,
    coupon_type: form.coupon_type,
    amount_cents: isAmount ? toCents(form.amount, form.currency) : null,
    amount_currency: isAmount ? form.currency : null,
    percentage_rate: isAmount ? null : form.percentage_rate.trim().replace(",", "."),
    frequency: form.frequency,
    frequency_duration: form.frequency === "recurring" ? Number(form.frequency_duration) : null,
    reusable: form.reusable,
    expiration: form.expires_on ? "time_limit" : "no_expiration",
    expiration_at: isKept ? saved.expiration_at : form.expires_on ? `${form.expires_on}T23:59:59Z` : null,
    applies_to: {
      plan_codes: form.limit === "plans" ? form.plan_codes : [],
      billable_metric_codes: form.limit === "metrics" ? form.billable_metric_codes : [],
    },
  };
}

/** What of a coupon's body differs from what it was: all that a change sends. */
export function changedCoupon(saved: Coupon, form: CouponForm): Partial<Schema<"CouponCreateInput">> {
  const before = writeCoupon(readCoupon(saved), saved) as Record<string, unknown>;
  const after = writeCoupon(form, saved) as Record<string, unknown>;
  const names = Object.keys(after).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  // The end is told by two fields that belong together.
  if (names.includes("expiration_at") && !names.includes("expiration")) names.push("expiration");
  return Object.fromEntries(names.map((name) => [name, after[name]]));
}

/** What a coupon gives, in few words: "10%, for 3 periods", "€50.00 once". */
export function couponWords(coupon: {
  coupon_type?: string;
  amount_cents: number | null;
  amount_currency: string | null;
  percentage_rate: string | null;
  frequency: string;
  frequency_duration: number | null;
}): string {
  const value =
    coupon.percentage_rate !== null
      ? percent(coupon.percentage_rate)
      : money(coupon.amount_cents ?? 0, coupon.amount_currency ?? "EUR");
  return `${value} ${frequencyWords(coupon)}`;
}

export function frequencyWords(coupon: { frequency: string; frequency_duration: number | null }): string {
  if (coupon.frequency === "forever") return "forever";
  if (coupon.frequency === "once") return "once";
  return `for ${countWords(coupon.frequency_duration ?? 0, "invoice")}`;
}

/** "active", "expired" where its time is over, or "terminated". */
export function statusOf(coupon: Coupon, now: number): "active" | "expired" | "terminated" {
  if (coupon.expiration_at && Date.parse(coupon.expiration_at) <= now) return "expired";
  return coupon.terminated_at ? "terminated" : "active";
}
