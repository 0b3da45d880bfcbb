/** Customers: what they are called, and what of them is read and reckoned in several places. */
import type { Schema } from "@/api/client";
import { decimalText, exact, sum } from "@/lib/exact";

export type Customer = Schema<"DetailedCustomerOutput">;
export type Invoice = Schema<"InvoiceListOutput">;
export type Subscription = Schema<"ListedSubscriptionOutput">;
export type Wallet = Schema<"WalletOutput">;

/** What a customer is called: as the server says it: the name, else the legal one, the person, the external id. */
export function nameOf(customer: {
  name?: string | null;
  legal_name?: string | null;
  firstname?: string | null;
  lastname?: string | null;
  external_id: string;
}): string {
  const person = [customer.firstname, customer.lastname].filter(Boolean).join(" ");
  return customer.name || customer.legal_name || person || customer.external_id;
}

/** Amounts of minor units by their currency, the largest first. */
export function byCurrency(amounts: readonly { cents: number; currency: string }[]): [string, bigint][] {
  const sums = new Map<string, bigint>();
  for (const { cents, currency } of amounts) {
    sums.set(currency, (sums.get(currency) ?? 0n) + BigInt(cents));
  }
  return [...sums].sort(([, a], [, b]) => (a < b ? 1 : a > b ? -1 : 0));
}

/** The sum of numbers of the wire ("3120.0", "0.5"), as a number of the wire. */
export function sumOf(amounts: readonly string[]): string {
  return decimalText(sum(amounts.map(exact)), 10);
}

/** The word of a country's code in the reader's language: DE is "Germany". */
export function countryName(code: string | null | undefined): string | null {
  if (!code) return null;
  return new Intl.DisplayNames([navigator.language, "en"], { type: "region" }).of(code) ?? code;
}

export function addressLines(address: {
  address_line1: string | null;
  address_line2: string | null;
  zipcode: string | null;
  city: string | null;
  state: string | null;
  country: string | null;
}): string[] {
  const place = [address.zipcode, address.city].filter(Boolean).join(" ");
  const lines = [
    address.address_line1,
    address.address_line2,
    place,
    address.state,
    countryName(address.country),
  ];
  return lines.filter((line): line is string => Boolean(line));
}
