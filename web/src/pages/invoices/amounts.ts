/** Units and prices as people type them, and what they come to. */
import { type Exact, exact, rounded, sum, times } from "@/lib/exact";
import { subunits } from "./why/recompute";

/** A decimal that is not negative, as the wire writes it; null for anything else that was typed. */
export function decimalOf(typed: string): string | null {
  const text = typed
    .trim()
    .replaceAll(/[\s'’]/g, "")
    .replace(",", ".");
  return /^\d+(\.\d+)?$/.test(text) ? text : null;
}

/** What units at a price come to in minor units, rounded as the server does. */
export function amountOf(units: string, price: string, currency: string): bigint {
  return rounded(times(times(exact(units), exact(price)), subunits(currency)));
}

export interface TaxedLine {
  cents: bigint;
  /** In percent, as on the wire. */
  rates: readonly number[];
}

/** The taxes of lines that nothing is taken off: each line's rates of its amount, rounded once on their sum (invoicing §5.4). */
export function taxesOf(lines: readonly TaxedLine[]): bigint {
  const parts = lines.flatMap(({ cents, rates }): Exact[] =>
    rates.map((rate) => times(exact(cents), times(exact(rate), exact("1/100")))),
  );
  return rounded(sum(parts));
}
