import { describe, expect, it } from "vitest";
import { afterDispute, type Fee, groupFees, nameOfFee, paymentOf } from "./model";

const fee = (id: string, type: string, more: Partial<Fee> = {}): Fee =>
  ({
    lago_id: id,
    lago_subscription_id: "s1",
    external_subscription_id: "sub_1",
    lago_true_up_parent_fee_id: null,
    item: {
      type,
      name: id,
      invoice_display_name: id,
      filter_invoice_display_name: null,
      grouped_by: {},
    },
    ...more,
  }) as Fee;

const subscriptions = [{ lago_id: "s1", name: "Main", plan_code: "scale" }] as never;

describe("the lines of an invoice", () => {
  it("stand by subscription and kind, a true-up right after its charge", () => {
    const fees = [
      fee("tokens", "charge"),
      fee("true-up", "charge", { lago_true_up_parent_fee_id: "tokens" }),
      fee("seats", "charge"),
      fee("base", "subscription"),
      fee("onboarding", "add_on", { lago_subscription_id: null, external_subscription_id: null }),
    ];
    const groups = groupFees({ fees, subscriptions });
    expect(groups.map((group) => [group.title, group.fees.map((one) => one.lago_id)])).toEqual([
      ["Main", ["base", "tokens", "true-up", "seats"]],
      [null, ["onboarding"]],
    ]);
  });

  it("are named by display name, filter and group", () => {
    const item = {
      ...fee("x", "charge").item,
      filter_invoice_display_name: "EU",
      grouped_by: { model: "gpt" },
    };
    expect(nameOfFee(fee("Tokens", "charge", { item: { ...item, invoice_display_name: "Tokens" } }))).toBe(
      "Tokens · EU · gpt",
    );
  });
});

describe("how payment stands", () => {
  const open = {
    status: "finalized",
    payment_status: "pending",
    payment_overdue: false,
    payment_dispute_lost_at: null,
    total_paid_amount_cents: 0,
    total_due_amount_cents: 100,
  };
  it("says the gravest first", () => {
    expect(paymentOf(open)?.status).toBe("pending");
    expect(paymentOf({ ...open, total_paid_amount_cents: 40 })?.status).toBe("partially_paid");
    expect(paymentOf({ ...open, total_paid_amount_cents: 40, payment_overdue: true })?.status).toBe(
      "overdue",
    );
    const late = { ...open, payment_overdue: true };
    expect(paymentOf(late)?.word).toBe("Overdue");
    expect(paymentOf({ ...late, total_paid_amount_cents: 40 })?.word).toBe("Overdue, partly paid");
    expect(paymentOf({ ...open, payment_status: "failed", total_paid_amount_cents: 40 })?.word).toBe(
      "Payment failed, partly paid",
    );
    expect(paymentOf({ ...open, payment_status: "succeeded", payment_overdue: true })?.status).toBe(
      "succeeded",
    );
    expect(paymentOf({ ...open, payment_dispute_lost_at: "2026-10-01T00:00:00Z" })?.status).toBe("disputed");
    expect(paymentOf({ ...open, status: "draft" })).toBeNull();
  });
});

describe("a dispute that was lost", () => {
  it("takes what was paid, and leaves what is due to people", () => {
    const gone = (total_paid_amount_cents: number, total_due_amount_cents: number) =>
      afterDispute({ currency: "EUR", total_paid_amount_cents, total_due_amount_cents });
    expect(gone(9900, 0)).toBe("The €99.00 that were paid are gone.");
    expect(gone(4000, 5900)).toBe(
      "The €40.00 that were paid are gone. €59.00 stay due, and nothing collects them by itself any more.",
    );
  });
});
