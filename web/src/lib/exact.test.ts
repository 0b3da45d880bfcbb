import { describe, expect, it } from "vitest";
import { ceiled, decimalText, exact, floored, minus, plus, rounded, times } from "./exact";

describe("exact fractions", () => {
  it("reads numbers and shares of the wire", () => {
    expect(exact("16.50")).toEqual({ over: 33n, under: 2n });
    expect(exact("20/31")).toEqual({ over: 20n, under: 31n });
    expect(exact("-0.25")).toEqual({ over: -1n, under: 4n });
    expect(exact("1.5e-7")).toEqual({ over: 3n, under: 20_000_000n });
    expect(exact(42)).toEqual({ over: 42n, under: 1n });
    expect(() => exact("€5")).toThrow(SyntaxError);
  });

  it("reckons without losing anything", () => {
    // 6 seats at 16.00 for 20 of 31 days: 1920/31
    expect(times(times(exact(6), exact("16")), exact("20/31"))).toEqual({ over: 1920n, under: 31n });
    expect(plus(exact("0.1"), exact("0.2"))).toEqual(exact("0.3"));
    expect(minus(exact("1/3"), exact("1/3"))).toEqual(exact(0));
  });

  it("rounds halves away from zero, and up and down", () => {
    expect(rounded(exact("2.5"))).toBe(3n);
    expect(rounded(exact("-2.5"))).toBe(-3n);
    expect(rounded(exact("2.4999"))).toBe(2n);
    expect(floored(exact("-1.2"))).toBe(-2n);
    expect(ceiled(exact("48.203110"))).toBe(49n);
    expect(ceiled(exact("-1.2"))).toBe(-1n);
  });

  it("writes decimals, and tells where they go on", () => {
    expect(decimalText(exact("1920/31"), 3)).toBe("61.935…");
    expect(decimalText(exact("475"), 3)).toBe("475");
    expect(decimalText(exact("0.0500"), 3)).toBe("0.05");
    expect(decimalText(exact("-1/3"), 2)).toBe("-0.33…");
  });
});
