/**
 * Amounts of money as people read and type them. The wire has whole minor units; nothing here goes through a float:
 * decimals are moved as digits.
 */

export type Currency = string;

const NO_DECIMALS = new Set(
  "BIF CLP DJF GNF HUF ISK JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split(" "),
);
const THREE_DECIMALS = new Set(["BHD", "JOD", "KWD"]);

/** How many decimals an amount of a currency is shown and typed with. */
export function decimals(currency: Currency): number {
  if (currency === "CLF") return 4;
  if (currency === "MRO") return 1; // five khoums are an ouguiya: a fifth is .2
  if (NO_DECIMALS.has(currency)) return 0;
  return THREE_DECIMALS.has(currency) ? 3 : 2;
}

/** Minor units as a decimal number in digits: 2990 EUR is "29.90". */
export function toDecimal(cents: number | string | bigint, currency: Currency): string {
  const scale = decimals(currency);
  const minor = BigInt(cents) * (currency === "MRO" ? 2n : 1n);
  const digits = (minor < 0n ? -minor : minor).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const sign = minor < 0n ? "-" : "";
  return scale === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-scale)}`;
}

/** What somebody typed as minor units; null where it is no amount of the currency ("29.905" EUR, "12a"). */
export function toCents(typed: string, currency: Currency): number | null {
  const scale = decimals(currency);
  const match = /^\s*([-−]?)(\d+)(?:[.,](\d+))?\s*$/.exec(typed.replaceAll(/[\s  '’](?=\d{3})/g, ""));
  if (!match) return null;
  const [, minus, whole = "0", fraction = ""] = match;
  // More digits than the currency has may be thousands in another way of writing: 1.250 EUR is asked again, not taken for 1.25.
  if (fraction.length > scale) return null;
  let minor = BigInt(whole + fraction.padEnd(scale, "0"));
  if (currency === "MRO") {
    if (minor % 2n !== 0n) return null;
    minor /= 2n;
  }
  if (minor > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  return Number(minus ? -minor : minor);
}

/** The parts of an amount, so that the currency's sign can recede. */
export interface Figure {
  sign: string;
  before: string;
  digits: string;
  after: string;
}

/** A decimal number with a currency's sign, in the reader's way of writing numbers. At least the currency's decimals. */
export function figure(amount: string, currency: Currency, locale = readersLocale()): Figure {
  const places = Math.max(decimals(currency), (amount.split(".")[1] ?? "").length);
  const format = numberFormat(locale, {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  });
  const parts = format.formatToParts(amount as unknown as number); // digits in a text are exact; the types lag behind
  const found: Figure = { sign: "", before: "", digits: "", after: "" };
  for (const part of parts) {
    if (part.type === "minusSign") found.sign = "−";
    else if (part.type === "currency" || part.type === "literal") {
      if (found.digits === "") found.before += part.value;
      else found.after += part.value;
    } else found.digits += part.value;
  }
  return found;
}

/** Minor units as text: 2990 EUR is "€29.90". */
export function money(cents: number | string | bigint, currency: Currency, locale = readersLocale()): string {
  const { sign, before, digits, after } = figure(toDecimal(cents, currency), currency, locale);
  return sign + before + digits + after;
}

/** Minor units as text without the currency's sign, which stands above the column: 2990 EUR is "29.90". */
export function bareMoney(
  cents: number | string | bigint,
  currency: Currency,
  locale = readersLocale(),
): string {
  const { sign, digits } = figure(toDecimal(cents, currency), currency, locale);
  return sign + digits;
}

/** A price per unit, which may be finer than the currency: "0.00022" USD is "$0.00022". */
export function price(amount: string, currency: Currency, locale = readersLocale()): string {
  const { sign, before, digits, after } = figure(trimmed(amount, decimals(currency)), currency, locale);
  return sign + before + digits + after;
}

/** A headline figure, the only kind that rounds: €1.2M. */
export function roundMoney(cents: number, currency: Currency, locale = readersLocale()): string {
  const format = numberFormat(locale, {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    notation: "compact",
    maximumFractionDigits: 1,
  });
  return format.format(toDecimal(cents, currency) as unknown as number).replace("-", "−");
}

/** A number of units, exact: "1,204.6". */
export function units(amount: string | number, locale = readersLocale()): string {
  const text = plain(amount);
  const places = (text.split(".")[1] ?? "").length;
  const format = numberFormat(locale, { minimumFractionDigits: 0, maximumFractionDigits: places });
  return format.format(text as unknown as number).replace("-", "−");
}

/** A number of units for an overview, with two decimals at the most, or three digits of what is less: "21,604.13". */
export function aboutUnits(amount: string | number, locale = readersLocale()): string {
  const format = numberFormat(locale, {
    maximumFractionDigits: 2,
    maximumSignificantDigits: 3,
    roundingPriority: "morePrecision",
  });
  return format.format(plain(amount) as unknown as number).replace("-", "−");
}

/** A rate as the wire has it, in percent: 19 is "19%", 5.5 is "5.5%". */
export function percent(rate: number | string, locale = readersLocale()): string {
  return `${units(rate, locale)}%`;
}

/** The sign that an input of money carries inside. */
export function symbol(currency: Currency, locale = readersLocale()): string {
  const { before, after } = figure("0", currency, locale);
  return (before + after).trim();
}

/** The way of writing numbers and dates of whoever reads; the portal sets the customer's. */
export function readersLocale(): string {
  return chosenLocale ?? (typeof navigator === "undefined" ? "en" : navigator.language);
}

let chosenLocale: string | null = null;

/** Write numbers and dates in a language from now on. */
export function setReadersLocale(locale: string | null): void {
  chosenLocale = locale;
}

function plain(amount: string | number): string {
  const text = String(amount);
  if (!/e/i.test(text)) return trimmed(text, 0);
  return Number(text).toFixed(20).replace(/0+$/, "").replace(/\.$/, "");
}

function trimmed(amount: string, least: number): string {
  const [whole = "0", fraction = ""] = amount.split(".");
  const kept = fraction.replace(/0+$/, "").padEnd(least, "0");
  return kept ? `${whole}.${kept}` : whole;
}

const formats = new Map<string, Intl.NumberFormat>();

/** A format of its own costs more than a hundred numbers written with it: each is made once. */
function numberFormat(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${locale}/${JSON.stringify(options)}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, options);
    formats.set(key, format);
  }
  return format;
}
