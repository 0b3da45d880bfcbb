/** Credits as people type them, and what they cost. */
import { decimalText, exact, times } from "@/lib/exact";

/** What was typed as a number of credits of the wire, "" for nothing; null where it is none. At most five decimals. */
export function readCredits(typed: string): string | null {
  const text = typed.trim().replaceAll(/[\s,’'](?=\d{3}(?:\D|$))/g, "");
  if (text === "") return "";
  return /^\d+(\.\d{1,5})?$/.test(text) ? text : null;
}

/** The price of credits at a rate, exact: 1,000 at 0.05 is "50". */
export function priceOfCredits(credits: string, rate: string): string {
  return decimalText(times(exact(credits), exact(rate)), 10);
}
