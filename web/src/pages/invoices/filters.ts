/** The filters of the list of invoices, as the address has them and as the API reads them. */
import { toCents } from "@/lib/money";
import type { Filter, QuickFilter } from "@/ui/list";
import { TYPES } from "./model";

export const YES = [
  { value: "true", label: "Yes" },
  { value: "false", label: "No" },
];

const named = (names: Record<string, string>) =>
  Object.entries(names).map(([value, label]) => ({ value, label }));

export const QUICK: QuickFilter[] = [
  { label: "All", filters: {} },
  { label: "Outstanding", filters: { status: "finalized", "payment_statuses[]": "pending,failed" } },
  { label: "Paid", filters: { status: "finalized", "payment_statuses[]": "succeeded" } },
  { label: "Draft", filters: { status: "draft" } },
  { label: "Overdue", filters: { payment_overdue: "true" } },
  { label: "Voided", filters: { status: "voided" } },
  { label: "Disputed", filters: { payment_dispute_lost: "true" } },
];

/** By who issued it, where there are several. */
export function entityFilter(entities: readonly { code: string; name: string }[]): Filter[] {
  if (entities.length < 2) return [];
  const options = entities.map((entity) => ({ value: entity.code, label: entity.name }));
  return [{ key: "billing_entity_codes[]", label: "Entity", options }];
}

export function filtersOf(entities: readonly { code: string; name: string }[]): Filter[] {
  return [
    {
      key: "status",
      label: "Status",
      options: named({
        draft: "Draft",
        finalized: "Finalized",
        failed: "Failed",
        pending: "Pending",
        voided: "Voided",
      }),
    },
    {
      key: "payment_statuses[]",
      label: "Payment",
      options: named({
        pending: "Pending",
        failed: "Failed",
        "pending,failed": "Pending or failed",
        succeeded: "Paid",
      }),
    },
    { key: "invoice_type", label: "Type", options: named(TYPES) },
    { key: "external_customer_id", label: "Customer’s external ID" },
    { key: "currency", label: "Currency" },
    { key: "issuing_date_from", label: "Issued from", kind: "date" },
    { key: "issuing_date_to", label: "Issued to", kind: "date" },
    { key: "amount_from", label: "Amount at least", kind: "number" },
    { key: "amount_to", label: "Amount at most", kind: "number" },
    { key: "payment_overdue", label: "Overdue", options: YES },
    { key: "partially_paid", label: "Partly paid", options: YES },
    { key: "payment_dispute_lost", label: "Dispute lost", options: YES },
    {
      key: "settlements[]",
      label: "Settled by",
      options: named({ payment: "Payment", credit_note: "Credit note" }),
    },
    { key: "self_billed", label: "Billed by a partner", options: YES },
    ...entityFilter(entities),
    { key: "purchase_order_number", label: "PO number" },
  ];
}

/**
 * Filters of the address as the API reads them: lists by commas, amounts as they are typed in the currency that is filtered
 * by, else in the organization's. What is no amount is left out.
 */
export function queryOf(filters: Record<string, string>, ownCurrency: string): Record<string, unknown> {
  const currency = /^[A-Za-z]{3}$/.test(filters.currency ?? "")
    ? filters.currency!.toUpperCase()
    : ownCurrency;
  return Object.fromEntries(
    Object.entries(filters).flatMap(([key, value]): [string, unknown][] => {
      if (key.endsWith("[]")) return [[key, value.split(",")]];
      if (key === "currency") return [[key, value.toUpperCase()]];
      if (key !== "amount_from" && key !== "amount_to") return [[key, value]];
      const cents = toCents(value, currency);
      return cents === null ? [] : [[key, cents]];
    }),
  );
}
