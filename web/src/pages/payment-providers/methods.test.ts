import { describe, expect, it } from "vitest";
import { expiryOf, methodName, readPaid, togetherAtStripe, writePaid } from "./methods";

const of = (details: Record<string, string>) => ({
  details,
  payment_provider_type: "stripe" as const,
  provider_method_id: "pm_1",
});

describe("a payment method", () => {
  it.each([
    [{ type: "card", brand: "visa", last4: "4242" }, "Visa •••• 4242"],
    [{ type: "card", brand: "amex", last4: "0005" }, "American Express •••• 0005"],
    [{ type: "sepa_debit", last4: "3000" }, "SEPA direct debit •••• 3000"],
    [{ type: "customer_balance" }, "Bank transfer"],
    [{ type: "sepa_core" }, "SEPA direct debit"],
    [{ type: "pay_by_bank" }, "Pay by bank"],
    [{}, "Stripe, pm_1"],
  ])("of %o is called %s", (details, name) => {
    expect(methodName(of(details as Record<string, string>))).toBe(name);
  });

  it.each([
    ["2028-04", "04/2028"],
    ["4/2028", "04/2028"],
    ["04/28", "04/2028"],
    ["soon", "soon"],
  ])("that expires %s says %s", (expires, shown) => {
    expect(expiryOf(of({ expires }))).toBe(shown);
  });

  it("is chosen by its id, by what the customer usually pays with, or not at all", () => {
    for (const paid of ["provider", "manual", "5f1"]) expect(readPaid(writePaid(paid))).toBe(paid);
    expect(writePaid("5f1")).toEqual({ payment_method_type: "provider", payment_method_id: "5f1" });
    expect(writePaid("manual")).toEqual({ payment_method_type: "manual", payment_method_id: null });
  });
});

describe("what Stripe takes together", () => {
  it.each([
    [["card"], ["card", "customer_balance"], ["customer_balance"]],
    [["customer_balance"], ["customer_balance", "card"], ["card"]],
    [["sepa_debit"], ["sepa_debit", "link"], ["card", "sepa_debit", "link"]],
    [["card", "link"], ["link"], ["card"]],
    [["card", "sepa_debit", "link"], ["sepa_debit", "link"], ["sepa_debit"]],
    [["card"], [], ["card"]],
    [["customer_balance"], [], ["card"]],
  ])("of %o and then %o is %o", (before, asked, chosen) => {
    expect(togetherAtStripe(before, asked)).toEqual(chosen);
  });
});
