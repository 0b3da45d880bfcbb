import { describe, expect, it } from "vitest";
import { aboutUnits, bareMoney, figure, money, price, toCents, toDecimal, units } from "./money";

describe("aboutUnits", () => {
  it.each([
    ["21604.1266736986", "21,604.13"],
    ["18937358492", "18,937,358,492"],
    ["0.0012349", "0.00123"],
    ["2152.3", "2,152.3"],
    ["0", "0"],
  ])("writes %s as %s", (amount, expected) => expect(aboutUnits(amount, "en")).toBe(expected));
});

describe("bareMoney", () => {
  it("writes an amount of which the column says the currency", () => {
    expect(bareMoney(-125253, "EUR", "en")).toBe("−1,252.53");
    expect(bareMoney(3000, "JPY", "de")).toBe("3.000");
  });
});

describe("money", () => {
  it.each([
    [2990, "EUR", "29.90"],
    [3000, "JPY", "3000"],
    [1250, "KWD", "1.250"],
    [-5, "USD", "-0.05"],
    [0, "USD", "0.00"],
    [7, "MRO", "1.4"], // seven khoums are one ouguiya and two fifths
    ["9007199254740993", "EUR", "90071992547409.93"], // over what a float holds
  ])("writes %s %s as %s", (cents, currency, expected) => {
    expect(toDecimal(cents, currency)).toBe(expected);
  });

  it.each([
    ["29.90", "EUR", 2990],
    ["29,9", "EUR", 2990],
    ["1 234.50", "EUR", 123450],
    ["3000", "JPY", 3000],
    ["1.250", "KWD", 1250],
    ["-0.05", "USD", -5],
    ["29.905", "EUR", null],
    ["29.900", "EUR", null],
    ["1.250", "EUR", null], // a thousand and more to some
    ["1,250", "EUR", null],
    ["3.000", "JPY", null],
    ["3000.5", "JPY", null],
    ["12a", "EUR", null],
    ["", "EUR", null],
    ["99999999999999999", "EUR", null],
  ])("reads %s %s as %s", (typed, currency, expected) => {
    expect(toCents(typed, currency)).toBe(expected);
  });

  it("shows amounts in the reader's way", () => {
    expect(money(349280, "EUR", "en")).toBe("€3,492.80");
    expect(money(-50000, "EUR", "en")).toBe("−€500.00");
    expect(money(412000, "JPY", "en")).toBe("¥412,000");
    expect(money(349280, "EUR", "de")).toBe("3.492,80\u00a0€");
    expect(price("0.00022", "EUR", "en")).toBe("€0.00022");
    expect(price("16", "EUR", "en")).toBe("€16.00");
  });

  it("keeps every digit", () => {
    expect(figure("12345678901234567.89", "USD", "en").digits).toBe("12,345,678,901,234,567.89");
    expect(units("1506.80", "en")).toBe("1,506.8");
    expect(units("12345678901234567890.125", "en")).toBe("12,345,678,901,234,567,890.125");
    expect(units(3482910, "en")).toBe("3,482,910");
  });
});
