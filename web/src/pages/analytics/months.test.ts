import { describe, expect, it } from "vitest";
import { byMonth, change, currenciesOf, lastMonths, monthsFrom } from "./months";

describe("lastMonths", () => {
  it("goes back over the turn of the year, and is not led astray by long months", () => {
    expect(lastMonths(Date.parse("2026-03-31T23:59:59Z"), 5)).toEqual([
      "2025-11",
      "2025-12",
      "2026-01",
      "2026-02",
      "2026-03",
    ]);
  });
});

describe("byMonth", () => {
  it("takes one amount of a dashboard", () => {
    const rows = [
      { start_of_period_dt: "2026-01-01", currency: "EUR", gross_amount_cents: 700, net_amount_cents: 500 },
      { start_of_period_dt: "2026-02-01", currency: "USD", gross_amount_cents: 90, net_amount_cents: 90 },
    ];
    expect(byMonth(monthsFrom(rows, "net_amount_cents"), ["2026-01", "2026-02"], "EUR")).toEqual([500, 0]);
  });

  it("sums entities, leaves other currencies out, and has zero where nothing is", () => {
    const amounts = [
      { month: "2026-01-01T00:00:00.000Z", amount_cents: 100, currency: "EUR" },
      { month: "2026-01-01T00:00:00.000Z", amount_cents: 250, currency: "EUR" },
      { month: "2026-01-01T00:00:00.000Z", amount_cents: 999, currency: "USD" },
      { month: "2026-03-01T00:00:00.000Z", amount_cents: null, currency: null },
    ];
    expect(byMonth(amounts, ["2026-01", "2026-02", "2026-03"], "EUR")).toEqual([350, 0, 0]);
  });
});

describe("change", () => {
  it("is in percent, and nothing where there was nothing", () => {
    expect(change(1031, 1000)).toBe(3.1);
    expect(change(900, 1000)).toBe(-10);
    expect(change(5, 0)).toBeNull();
  });
});

describe("currenciesOf", () => {
  it("has the organization's first, and each once", () => {
    expect(
      currenciesOf(
        [[{ currency: "USD" }, { currency: null }], undefined, [{ currency: "EUR" }, { currency: "AUD" }]],
        "EUR",
      ),
    ).toEqual(["EUR", "AUD", "USD"]);
  });
});
