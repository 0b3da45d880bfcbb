import { describe, expect, it } from "vitest";
import { creditRows, movementRows, revenueRows, shareOf } from "./streams";

const PERIODS = ["2026-01-01", "2026-02-01"];
const at = (start_of_period_dt: string) => ({ start_of_period_dt, currency: "EUR" });

describe("revenueRows", () => {
  const nothing = {
    subscription_fee_amount_cents: 0,
    usage_based_fee_amount_cents: 0,
    fixed_charge_fee_amount_cents: 0,
    commitment_fee_amount_cents: 0,
    one_off_fee_amount_cents: 0,
    coupons_amount_cents: 0,
    progressive_billing_credit_amount_cents: 0,
    credit_notes_credits_amount_cents: 0,
    free_credits_amount_cents: 0,
    prepaid_credits_amount_cents: 0,
    contra_amount_cents: 0,
  };
  const answer = [
    {
      ...nothing,
      ...at("2026-02-01"),
      subscription_fee_amount_cents: 3100,
      usage_based_fee_amount_cents: 500,
      gross_amount_cents: 3600,
      coupons_amount_cents: 100,
      net_amount_cents: 3500,
    },
    { ...nothing, ...at("2026-02-01"), currency: "USD", gross_amount_cents: 7, net_amount_cents: 7 },
  ];

  it("has the kinds that there are, in every period, and takes off what was taken off", () => {
    const { series, table } = revenueRows(answer, PERIODS, "EUR");
    expect(series.map(({ name, values }) => [name, values])).toEqual([
      ["Subscriptions", [0, 3100]],
      ["Usage", [0, 500]],
    ]);
    expect(table.map(({ name, cells }) => [name, ...cells])).toEqual([
      ["Subscriptions", "", "31.00"],
      ["Usage", "", "5.00"],
      ["Gross", "", "36.00"],
      ["Coupons", "", "−1.00"],
      ["Net", "", "35.00"],
    ]);
  });
});

describe("movementRows", () => {
  it("goes from what a period began with to what it ended with", () => {
    const moved = {
      ...at("2026-02-01"),
      starting_amount_cents: 6700,
      new_amount_cents: 2500,
      expansion_amount_cents: 0,
      contraction_amount_cents: -2000,
      churn_amount_cents: -1000,
      change_amount_cents: -500,
      ending_amount_cents: 6200,
    };
    const { series, table } = movementRows([moved], PERIODS, "EUR");
    expect(series.map(({ values }) => values[1])).toEqual([2500, 0, -2000, -1000]);
    expect(table.map(({ name, cells }) => [name, cells[1]])).toEqual([
      ["Start", "67.00"],
      ["New", "25.00"],
      ["Expansion", ""],
      ["Contraction", "−20.00"],
      ["Churn", "−10.00"],
      ["Change", "−5.00"],
      ["End", "62.00"],
    ]);
  });
});

describe("creditRows", () => {
  it("tells money and credits, what goes out hanging down", () => {
    const moved = {
      ...at("2026-01-01"),
      purchased_amount_cents: 1000,
      offered_amount_cents: 600,
      consumed_amount_cents: 700,
      voided_amount_cents: 0,
      purchased_credits: "5.0",
      offered_credits: "3.0",
      consumed_credits: "3.5",
      voided_credits: "0.0",
    };
    const { series, table } = creditRows([moved], PERIODS, "EUR");
    expect(series.map(({ values }) => values[0])).toEqual([1000, 600, -700, -0]);
    expect(table.map(({ cells }) => cells[0])).toEqual(["10.00", "6.00", "7.00", "", "5", "3", "3.5", ""]);
  });
});

describe("shareOf", () => {
  it("has one decimal, and none of nothing", () => {
    expect(shareOf(1, 3)).toBe(33.3);
    expect(shareOf(1, 0)).toBeNull();
  });
});
