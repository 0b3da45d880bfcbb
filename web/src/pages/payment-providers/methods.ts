/** Payment methods in words, and how one is chosen: the customer's default, one of theirs, or by hand. */
import type { Schema } from "@/api/client";
import { providerName } from "./kinds";

type Method = Pick<Schema<"PaymentMethodOutput">, "details" | "payment_provider_type" | "provider_method_id">;

/** Kinds of methods as providers call them, in words; others are readable as they are. */
const TYPES: Record<string, string> = {
  card: "Card",
  sepa_debit: "SEPA direct debit",
  us_bank_account: "US bank account",
  bacs_debit: "Bacs direct debit",
  link: "Link",
  boleto: "Boleto",
  crypto: "Crypto",
  customer_balance: "Bank transfer",
  mandate: "Mandate",
  // GoCardless calls them by their scheme.
  ach: "ACH direct debit",
  bacs: "Bacs direct debit",
  becs: "BECS direct debit",
  becs_nz: "BECS direct debit",
  pad: "Pre-authorized debit",
  sepa_core: "SEPA direct debit",
};

const BRANDS: Record<string, string> = {
  amex: "American Express",
  diners: "Diners Club",
  jcb: "JCB",
  mc: "Mastercard",
  unionpay: "UnionPay",
};

/** "bank_transfer" is "Bank transfer". */
export function inWords(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function methodType(type: string): string {
  return TYPES[type] ?? inWords(type);
}

/** "Visa •••• 4242": the brand, else the kind, and the last digits. */
export function methodName({ details, payment_provider_type, provider_method_id }: Method): string {
  const { brand, type, last4 } = details;
  const what = brand
    ? (BRANDS[brand] ?? inWords(brand))
    : type
      ? methodType(type)
      : providerName(payment_provider_type);
  if (last4) return `${what} •••• ${last4}`;
  return brand || type ? what : `${what}, ${provider_method_id}`;
}

/** "04/2028", however the provider writes a month: "2028-04", "4/2028", "04/28". */
export function expiryOf({ details: { expires } }: Method): string | null {
  if (!expires) return null;
  const [, year, month] = /^(\d{4})-(\d{1,2})/.exec(expires) ?? [];
  if (year && month) return `${month.padStart(2, "0")}/${year}`;
  const [, first, last] = /^(\d{1,2})\/(\d{2}|\d{4})$/.exec(expires) ?? [];
  if (first && last) return `${first.padStart(2, "0")}/${last.length === 2 ? `20${last}` : last}`;
  return expires;
}

/** What a form keeps: the default of whatever provider there is, nothing automatic, or the id of a method. */
export type Paid = string;

export type Reference = Schema<"PaymentMethodReference">;

export function readPaid({ payment_method_type, payment_method_id }: Reference): Paid {
  return payment_method_type === "manual" ? "manual" : (payment_method_id ?? "provider");
}

export function writePaid(paid: Paid): Reference {
  if (paid === "manual" || paid === "provider") {
    return { payment_method_type: paid, payment_method_id: null };
  }
  return { payment_method_type: "provider", payment_method_id: paid };
}

export const STRIPE_METHODS = [
  "card",
  "sepa_debit",
  "us_bank_account",
  "bacs_debit",
  "link",
  "boleto",
  "crypto",
  "customer_balance",
].map((value) => ({ value, label: methodType(value) }));

/** Stripe's methods as they can go together (§12.2): bank transfers alone, Link with cards; one at the least. */
export function togetherAtStripe(before: readonly string[], asked: readonly string[]): string[] {
  const added = asked.filter((one) => !before.includes(one));
  const removed = before.filter((one) => !asked.includes(one));
  if (added.includes("customer_balance")) return ["customer_balance"];
  let chosen = asked.filter((one) => one !== "customer_balance" || added.length === 0);
  if (added.includes("link") && !chosen.includes("card")) chosen = ["card", ...chosen];
  if (removed.includes("card")) chosen = chosen.filter((one) => one !== "link");
  if (chosen.length === 0) return ["card"];
  return STRIPE_METHODS.map(({ value }) => value).filter((value) => chosen.includes(value));
}
