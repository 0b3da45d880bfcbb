import { describe, expect, it } from "vitest";
import { isDowngrade, priceOf } from "./pricing";

const tiers = {
  graduated_ranges: [
    { from_value: 0, to_value: 25, per_unit_amount: "19", flat_amount: "0" },
    { from_value: 26, to_value: null, per_unit_amount: "16", flat_amount: "5" },
  ],
};

describe("priceOf", () => {
  it("says a price in a line", () => {
    expect(priceOf("standard", { amount: "0.08" }, "EUR")).toBe("€0.08 a unit");
    expect(priceOf("package", { amount: "6", package_size: 1000 }, "EUR")).toBe("€6.00 per 1,000 units");
    expect(priceOf("percentage", { rate: "1.5", fixed_amount: "0.1" }, "EUR")).toBe(
      "1.5% and €0.10 an event",
    );
    expect(priceOf("graduated", tiers, "EUR")).toBe("2 tiers from €19.00");
  });
});

describe("isDowngrade", () => {
  it("compares what plans come to in a year; equal is an upgrade", () => {
    const monthly = { amount_cents: 1000, interval: "monthly" }; // 12,000 a year
    expect(isDowngrade(monthly, { amount_cents: 11_999, interval: "yearly" })).toBe(true);
    expect(isDowngrade(monthly, { amount_cents: 12_000, interval: "yearly" })).toBe(false);
    expect(isDowngrade(monthly, { amount_cents: 230, interval: "weekly" })).toBe(true); // 11,960
  });
});
