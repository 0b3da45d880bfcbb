/** Credits as people type them, and what they cost. */
import { ApiError } from "@/api/errors";
import { decimalText, exact, times } from "@/lib/exact";

/** What may be noted on a top-up by hand; on a wallet's first one, and on those by a rule. */
export const NOTES = { most: 15, longestKey: 20, longestValue: 100 };
export const FEW_NOTES = { ...NOTES, most: 5 };
export const NOTES_LACK = new ApiError(422, { status: 422, code: "metadata_needs_keys_and_values" });

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
