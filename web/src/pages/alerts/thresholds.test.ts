import { expect, test } from "vitest";
import { readThreshold, rereadThreshold, writeThreshold, wrongThresholds } from "./thresholds";

test("amounts are minor units on the wire, credits and units are not", () => {
  expect(readThreshold("wallet_balance_amount", "12.50", "EUR")).toBe("1250");
  expect(readThreshold("wallet_balance_amount", "1250", "JPY")).toBe("1250");
  expect(readThreshold("wallet_credits_balance", " 12.5 ", "EUR")).toBe("12.5");
  expect(readThreshold("wallet_credits_balance", "twelve", "EUR")).toBeNull();
  expect(writeThreshold("wallet_balance_amount", "1250.0", "EUR")).toBe("12.50");
  expect(writeThreshold("wallet_credits_balance", "1250.5", "EUR")).toBe("1250.5");
});

test("what is left alone keeps the parts of a cent that nobody types", () => {
  const reread = (value: string, was?: string) =>
    rereadThreshold("wallet_balance_amount", { value, was }, "EUR");
  expect(reread("12.50", "1250.5")).toBe("1250.5");
  expect(reread("13.00", "1250.5")).toBe("1300");
  expect(reread("12.50")).toBe("1250");
});

test("thresholds of a balance fall; the step that recurs may be of any size", () => {
  const below = "Has to be below the one before it.";
  expect(wrongThresholds(["100", "20", "20"], false, true)).toEqual([undefined, undefined, below]);
  expect(wrongThresholds(["100", "20", "50"], true, true)).toEqual([undefined, undefined, undefined]);
  expect(wrongThresholds(["100", "9", null], false, true)).toEqual([
    undefined,
    undefined,
    "This is no number.",
  ]);
  expect(wrongThresholds(["20"], true, true)).toEqual(["Steps begin at a threshold: add one before."]);
  expect(wrongThresholds(["9", "100"], false, false)).toEqual([undefined, undefined]);
});
