import { expect, test } from "vitest";
import { rowsOf, thresholdsOf, withRow, wrongRows } from "./thresholds";

test("thresholds are typed in units of their currency", () => {
  const rows = rowsOf([
    { currency: "EUR", amount_cents: 10050 },
    { currency: "JPY", amount_cents: 800 },
  ]);
  expect(rows.map((row) => row.amount)).toEqual(["100.50", "800"]);
  expect(thresholdsOf(rows)).toEqual([
    { currency: "EUR", amount_cents: 10050 },
    { currency: "JPY", amount_cents: 800 },
  ]);
});

test("a row has an amount, and a currency of its own", () => {
  const typed = (currency: string, amount: string, key: number) => ({ key, currency, amount });
  expect(
    wrongRows([
      typed("EUR", "0", 0),
      typed("USD", "1.005", 1),
      typed("GBP", "-1", 2),
      typed("EUR", "5", 3),
      typed("CHF", "", 4),
    ]),
  ).toEqual([
    undefined,
    "This is no amount.",
    "This is no amount.",
    "There is a threshold in EUR already.",
    "This is no amount.",
  ]);
});

test("one more is in the next currency that has none", () => {
  const rows = withRow(withRow([], ["EUR", "USD"]), ["EUR", "USD"]);
  expect(rows).toEqual([
    { key: 0, currency: "EUR", amount: "" },
    { key: 1, currency: "USD", amount: "" },
  ]);
  expect(withRow(rows, ["EUR", "USD"]).at(-1)).toEqual({ key: 2, currency: "USD", amount: "" });
});
