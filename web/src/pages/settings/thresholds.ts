/** From which overdue balance on a campaign asks, by currency, as people type it. */
import { toCents, toDecimal } from "@/lib/money";

export interface ThresholdRow {
  key: number;
  currency: string;
  /** As typed, in units of the currency. */
  amount: string;
}

interface Threshold {
  currency: string;
  amount_cents: number;
}

export function rowsOf(thresholds: readonly Threshold[]): ThresholdRow[] {
  return thresholds.map(({ currency, amount_cents }, key) => ({
    key,
    currency,
    amount: toDecimal(amount_cents, currency),
  }));
}

/** What is wrong with each row; a currency has one threshold. */
export function wrongRows(rows: readonly ThresholdRow[]): (string | undefined)[] {
  return rows.map(({ currency, amount }, index) => {
    const cents = toCents(amount, currency);
    if (cents === null || cents < 0) return "This is no amount.";
    const isKnown = rows.slice(0, index).some((row) => row.currency === currency);
    return isKnown ? `There is a threshold in ${currency} already.` : undefined;
  });
}

/** The rows as the wire has them; they have to be right. */
export function thresholdsOf(rows: readonly ThresholdRow[]): Threshold[] {
  return rows.map(({ currency, amount }) => ({ currency, amount_cents: toCents(amount, currency) ?? 0 }));
}

/** One more row: in a currency that has none yet. */
export function withRow(rows: readonly ThresholdRow[], currencies: readonly string[]): ThresholdRow[] {
  const used = new Set(rows.map((row) => row.currency));
  const currency = currencies.find((one) => !used.has(one)) ?? "USD";
  const key = Math.max(-1, ...rows.map((row) => row.key)) + 1;
  return [...rows, { key, currency, amount: "" }];
}
