import { describe, expect, it } from "vitest";
import { amountOf, decimalOf, taxesOf } from "./amounts";

describe("what is typed", () => {
  it("is a decimal, or none", () => {
    expect(decimalOf(" 1 204,50 ")).toBe("1204.50");
    expect(decimalOf("0.00022")).toBe("0.00022");
    for (const wrong of ["", "-1", "1.2.3", "abc", "1e3"]) expect(decimalOf(wrong)).toBeNull();
  });

  it("comes to minor units, halves away from zero", () => {
    // 1,204.6 × 0.07 = 84.322; 3 × 0.335 = 1.005; 5 × 0.5 yen = 2.5
    expect(amountOf("1204.6", "0.07", "EUR")).toBe(8432n);
    expect(amountOf("3", "0.335", "EUR")).toBe(101n);
    expect(amountOf("5", "0.5", "JPY")).toBe(3n);
  });

  it("is taxed once, on the sum", () => {
    // Three lines of 0.03 at 19 %: 0.0057 each, 0.0171 together: two cents, where each alone would give one or none.
    const line = { cents: 3n, rates: [19] };
    expect(taxesOf([line, line, line])).toBe(2n);
    expect(taxesOf([{ cents: 10000n, rates: [19, 2.5] }])).toBe(2150n);
    expect(taxesOf([{ cents: 500n, rates: [] }])).toBe(0n);
  });
});
