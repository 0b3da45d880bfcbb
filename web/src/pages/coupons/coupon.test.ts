import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { setReadersLocale } from "@/lib/money";
import {
  type Coupon,
  changedCoupon,
  couponWords,
  NEW_COUPON,
  readCoupon,
  statusOf,
  writeCoupon,
} from "./coupon";

beforeEach(() => setReadersLocale("en"));
afterEach(() => setReadersLocale(null));

const COUPON: Coupon = {
  lago_id: "c",
  name: "Welcome",
  code: "welcome",
  description: null,
  coupon_type: "fixed_amount",
  amount_cents: 5000,
  amount_currency: "EUR",
  percentage_rate: null,
  frequency: "recurring",
  frequency_duration: 3,
  reusable: false,
  limited_plans: true,
  plan_codes: ["scale"],
  limited_billable_metrics: false,
  billable_metric_codes: [],
  expiration: "time_limit",
  expiration_at: "2027-06-30T10:00:00Z",
  created_at: "2026-11-01T00:00:00Z",
  terminated_at: null,
};

describe("a coupon's form", () => {
  it("sends nothing where nothing was changed, and its end as it was", () => {
    expect(changedCoupon(COUPON, readCoupon(COUPON))).toEqual({});
    expect(writeCoupon(readCoupon(COUPON), COUPON)).toMatchObject({
      amount_cents: 5000,
      expiration_at: "2027-06-30T10:00:00Z",
      applies_to: { plan_codes: ["scale"], billable_metric_codes: [] },
    });
  });

  it("lets another day end with its last second", () => {
    const form = { ...readCoupon(COUPON), expires_on: "2027-07-01" };
    expect(changedCoupon(COUPON, form)).toEqual({
      expiration_at: "2027-07-01T23:59:59Z",
      expiration: "time_limit",
    });
  });

  it("sends an amount or a rate, never both", () => {
    const form = { ...NEW_COUPON, name: "Ten", code: "ten", amount: "5", percentage_rate: "12,5" };
    expect(writeCoupon(form)).toMatchObject({
      amount_cents: null,
      amount_currency: null,
      percentage_rate: "12.5",
      frequency_duration: null,
      expiration: "no_expiration",
      expiration_at: null,
    });
  });
});

describe("a coupon in words", () => {
  it("says what it gives and how often", () => {
    expect(couponWords(COUPON)).toBe("€50.00 for 3 invoices");
    const rate = { ...COUPON, amount_cents: null, percentage_rate: "10.00", frequency: "forever" };
    expect(couponWords(rate)).toBe("10% forever");
  });

  it("is over when its time is", () => {
    expect(statusOf(COUPON, Date.parse("2027-06-30T09:59:59Z"))).toBe("active");
    expect(statusOf(COUPON, Date.parse("2027-06-30T10:00:00Z"))).toBe("expired");
    expect(statusOf({ ...COUPON, terminated_at: "2026-12-01T00:00:00Z" }, 0)).toBe("terminated");
  });
});
