/** Thresholds as people type them: amounts in units of a currency, anything else as a number. */
import { compare, exact } from "@/lib/exact";
import { toCents, toDecimal, units } from "@/lib/money";

export const isOfAmount = (type: string) => type.endsWith("_amount");

/** What was typed as the wire has it, in minor units where it is an amount; null where it is no number. */
export function readThreshold(type: string, typed: string, currency: string): string | null {
  const text = typed.trim();
  if (!isOfAmount(type)) return /^\d+(\.\d+)?$/.test(text) ? text : null;
  const cents = toCents(text, currency);
  return cents === null ? null : String(cents);
}

/** The same of a row that was of the wire before: left alone it stays, for an amount may be finer than it is typed. */
export function rereadThreshold(
  type: string,
  { value, was }: { value: string; was?: string | undefined },
  currency: string,
): string | null {
  const isLeft = was !== undefined && value === writeThreshold(type, was, currency);
  return isLeft ? was : readThreshold(type, value, currency);
}

/** A threshold of the wire as it is typed. */
export function writeThreshold(type: string, value: string, currency: string): string {
  if (isOfAmount(type)) return toDecimal(value.split(".")[0] ?? "0", currency);
  return units(value, "en").replaceAll(",", "");
}

/** What is wrong with each threshold; those that are met from above have to fall. A last one that recurs is a step, not a place. */
export function wrongThresholds(
  values: readonly (string | null)[],
  isLastStep: boolean,
  isFalling: boolean,
): (string | undefined)[] {
  return values.map((value, index) => {
    if (value === null) return "This is no number.";
    if (isFalling && isLastStep && values.length === 1) return "Steps begin at a threshold: add one before.";
    const before = values[index - 1];
    if (!isFalling || !before || (isLastStep && index === values.length - 1)) return undefined;
    return compare(exact(value), exact(before)) < 0 ? undefined : "Has to be below the one before it.";
  });
}
