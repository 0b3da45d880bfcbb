/** What the pages of invoices know about them: words, names, lines in their order. */
import type { Schema } from "@/api/client";
import { period } from "@/lib/dates";
import { money } from "@/lib/money";

export type Invoice = Schema<"InvoiceOutput">;
export type ListedInvoice = Schema<"InvoiceListOutput">;
export type Fee = Schema<"FeeOutput">;

/** What a change of an invoice makes out of date. */
export const TOUCHED = [
  "/api/v1/invoices",
  "/api/v1/customers",
  "/api/v1/payments",
  "/api/v1/credit_notes",
  "/api/v1/fees",
  "/api/v1/wallets",
  "/api/v1/wallet_transactions",
  "/api/v1/activity_logs",
  "/app/v1/invoices",
  "/app/v1/payments",
  "/app/v1/credit_notes",
];

export const TYPES: Record<string, string> = {
  subscription: "Subscription",
  add_on: "Add-on",
  credit: "Prepaid credits",
  one_off: "One-off",
  advance_charges: "Paid in advance",
  progressive_billing: "Progressive",
};

export interface Payable {
  status: string;
  payment_status: string;
  payment_overdue: boolean;
  payment_dispute_lost_at: string | null;
  total_paid_amount_cents: number;
}

/** How the payment of an invoice stands, as a status and a word; null where there is nothing to pay yet, or any more. */
export function paymentOf(invoice: Payable): { status: string; word?: string } | null {
  if (invoice.status !== "finalized") return null;
  if (invoice.payment_dispute_lost_at) return { status: "disputed", word: "Dispute lost" };
  if (invoice.payment_status === "succeeded") return { status: "succeeded" };
  const isBegun = invoice.total_paid_amount_cents > 0;
  const partly = isBegun ? ", partly paid" : "";
  if (invoice.payment_overdue) return { status: "overdue", word: `Overdue${partly}` };
  if (invoice.payment_status === "failed") return { status: "failed", word: `Payment failed${partly}` };
  return isBegun ? { status: "partially_paid" } : { status: "pending", word: "Payment pending" };
}

type Owed = Pick<Invoice, "currency" | "total_paid_amount_cents" | "total_due_amount_cents">;

/** What becomes of an invoice's money once a dispute about it is lost. */
export function afterDispute(invoice: Owed): string {
  const { total_paid_amount_cents: paid, total_due_amount_cents: due, currency } = invoice;
  return [
    paid > 0 && `The ${money(paid, currency)} that were paid are gone.`,
    due > 0 && `${money(due, currency)} stay due, and nothing collects them by itself any more.`,
  ]
    .filter(Boolean)
    .join(" ");
}

type Named = "name" | "invoice_display_name" | "filter_invoice_display_name" | "grouped_by";

/** What a fee is called on its invoice. */
export function nameOfFee(fee: { item: Pick<Fee["item"], Named> }): string {
  const base = fee.item.invoice_display_name || fee.item.name;
  const filter = fee.item.filter_invoice_display_name;
  const group = Object.values(fee.item.grouped_by ?? {}).filter(Boolean);
  return [base, filter, ...group].filter(Boolean).join(" · ");
}

const KINDS: Record<string, string> = {
  subscription: "Subscription",
  charge: "Usage",
  fixed_charge: "Fixed charge",
  commitment: "Minimum commitment",
  add_on: "Add-on",
  credit: "Prepaid credits",
};

/** The line below a fee's name: its period, and what kind it is where the name does not tell. */
export function aboutFee(fee: Fee, zone: string): string {
  const parts: string[] = [];
  if (fee.item.type !== "charge") parts.push(KINDS[fee.item.type] ?? fee.item.type);
  if (fee.from_date && fee.to_date) parts.push(period(fee.from_date, fee.to_date, zone));
  if (fee.pay_in_advance && fee.item.type === "charge") parts.push("in advance");
  if (fee.lago_true_up_parent_fee_id) parts.push("up to its minimum");
  return parts.join(", ");
}

const RANK: readonly string[] = ["subscription", "fixed_charge", "charge", "commitment", "add_on", "credit"];

export interface FeeGroup {
  key: string;
  /** The subscription's name, or null where fees belong to none. */
  title: string | null;
  externalId: string | null;
  fees: Fee[];
}

/**
 * The lines of an invoice by subscription, in each by kind: base price, fixed charges, usage, commitments; a true-up right after
 * the charge that it fills up.
 */
export function groupFees(invoice: Pick<Invoice, "fees" | "subscriptions">): FeeGroup[] {
  const groups = new Map<string, FeeGroup>();
  const owners = new Map(invoice.subscriptions.map((one) => [one.lago_id, one]));
  // A subscription without a name of its own is called by its plan, which its base fee names.
  const plans = new Map(
    invoice.fees
      .filter((fee) => fee.item.type === "subscription")
      .map((fee) => [fee.lago_subscription_id, fee.item.name]),
  );
  for (const fee of invoice.fees) {
    const key = fee.lago_subscription_id ?? "";
    const { name, plan_code } = owners.get(key) ?? {};
    const title = name || plans.get(key) || plan_code || null;
    const group = groups.get(key) ?? { key, title, externalId: fee.external_subscription_id, fees: [] };
    group.fees.push(fee);
    groups.set(key, group);
  }
  for (const group of groups.values()) group.fees = inOrder(group.fees);
  return [...groups.values()];
}

function inOrder(fees: readonly Fee[]): Fee[] {
  const rank = (fee: Fee) => RANK.indexOf(fee.item.type);
  const trueUps = new Map(
    fees.filter((fee) => fee.lago_true_up_parent_fee_id).map((fee) => [fee.lago_true_up_parent_fee_id, fee]),
  );
  return fees
    .filter((fee) => !fee.lago_true_up_parent_fee_id)
    .map((fee, index) => ({ fee, index }))
    .sort((a, b) => rank(a.fee) - rank(b.fee) || a.index - b.index)
    .flatMap(({ fee }) => {
      const trueUp = trueUps.get(fee.lago_id);
      return trueUp ? [fee, trueUp] : [fee];
    });
}

/** The names of an invoice's fees by their ids. */
export function namesOf(invoice: Pick<Invoice, "fees">): ReadonlyMap<string, string> {
  return new Map(invoice.fees.map((fee) => [fee.lago_id, nameOfFee(fee)]));
}

/** What a fee's price per unit says: one price, or how many tiers there are. */
export function unitPriceOf(fee: Fee): { price: string } | { tiers: number } | null {
  const details = fee.amount_details as Record<string, unknown>;
  const ranges = details.graduated_ranges ?? details.graduated_percentage_ranges;
  if (Array.isArray(ranges) && ranges.length > 1) return { tiers: ranges.length };
  return fee.units === "0.0" ? null : { price: fee.precise_unit_amount };
}
