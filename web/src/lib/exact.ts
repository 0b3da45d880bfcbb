/** Exact fractions, as the server reckons with them: no float ever stands between a text of the wire and what is shown. */

export interface Exact {
  readonly over: bigint;
  /** Always positive; the two have no common divisor. */
  readonly under: bigint;
}

export const ZERO: Exact = { over: 0n, under: 1n };

/** A number of the wire ("817.5", 42, "-3") or a share ("20/31"). Throws `SyntaxError` for what is neither. */
export function exact(value: string | number | bigint): Exact {
  const [first = "", second] = String(value).split("/");
  const over = decimal(first);
  return second === undefined ? over : dividedBy(over, decimal(second));
}

function decimal(text: string): Exact {
  const match = /^([-+]?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text.trim());
  if (!match) throw new SyntaxError(`${text} is no number`);
  const [, sign, whole = "0", fraction = "", power = "0"] = match;
  const digits = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n);
  const places = fraction.length - Number(power);
  return places >= 0 ? ratio(digits, 10n ** BigInt(places)) : ratio(digits * 10n ** BigInt(-places), 1n);
}

function ratio(over: bigint, under: bigint): Exact {
  if (under === 0n) throw new RangeError("nothing is divided by zero");
  const sign = under < 0n ? -1n : 1n;
  const common = divisor(over < 0n ? -over : over, under < 0n ? -under : under) || 1n;
  return { over: (sign * over) / common, under: (sign * under) / common };
}

function divisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : divisor(b, a % b);
}

export const plus = (a: Exact, b: Exact) => ratio(a.over * b.under + b.over * a.under, a.under * b.under);
export const minus = (a: Exact, b: Exact) => ratio(a.over * b.under - b.over * a.under, a.under * b.under);
export const times = (a: Exact, b: Exact) => ratio(a.over * b.over, a.under * b.under);
export const dividedBy = (a: Exact, b: Exact) => ratio(a.over * b.under, a.under * b.over);
export const sum = (all: readonly Exact[]) => all.reduce(plus, ZERO);
export const isSame = (a: Exact, b: Exact) => a.over === b.over && a.under === b.under;

/** Negative, zero or positive, as the first is less than, the same as or more than the second. */
export function compare(a: Exact, b: Exact): number {
  const difference = a.over * b.under - b.over * a.under;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Rounded to whole numbers, halves away from zero: as amounts become cents. */
export function rounded(value: Exact): bigint {
  const size = value.over < 0n ? -value.over : value.over;
  const whole = (2n * size + value.under) / (2n * value.under);
  return value.over < 0n ? -whole : whole;
}

export function floored(value: Exact): bigint {
  const whole = value.over / value.under;
  return value.over < 0n && whole * value.under !== value.over ? whole - 1n : whole;
}

export const ceiled = (value: Exact) => -floored({ over: -value.over, under: value.under });

/** As a decimal number of at most so many places, with "…" where digits were left out: 1920/31 is "61.935…". */
export function decimalText(value: Exact, places: number): string {
  const size = value.over < 0n ? -value.over : value.over;
  const scaled = size * 10n ** BigInt(places);
  const digits = (scaled / value.under).toString().padStart(places + 1, "0");
  const isCut = scaled % value.under !== 0n;
  const whole = digits.slice(0, digits.length - places);
  const fraction = places === 0 ? "" : digits.slice(-places);
  const kept = isCut ? fraction : fraction.replace(/0+$/, "");
  return `${value.over < 0n ? "-" : ""}${whole}${kept ? `.${kept}` : ""}${isCut ? "…" : ""}`;
}
