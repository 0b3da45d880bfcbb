/** Columns of payments and credit notes, for lists of them wherever they stand. */
import type { Schema } from "@/api/client";
import { EntityName } from "@/app/entity-name";
import { nameOf } from "@/pages/customers/customer";
import { providerName } from "@/pages/payment-providers/kinds";
import { Day, Money } from "@/ui/amounts";
import { Status } from "@/ui/status";
import type { Column } from "@/ui/table";

export type Payment = Schema<"PaymentOutput">;
export type CreditNote = Schema<"CreditNoteOutput">;

/** By whom it was collected, or that somebody has recorded it. */
export function methodOf({ payment_provider_type: kind, type }: Payment): string {
  if (kind) return providerName(kind);
  return type === "manual" ? "Recorded by hand" : "Provider";
}

/** Lists name who paid; what a payment shows of itself does not. */
type ListedPayment = Payment & Partial<Pick<Schema<"ListedPaymentOutput">, "customer_name">>;

export const paymentColumns: Column<ListedPayment>[] = [
  {
    head: "Payment",
    fold: "f1",
    cell: (payment) => (
      <>
        <b className="med">{payment.invoice_numbers.join(", ") || "Payment"}</b>
        <span className="sub">{payment.reference ?? methodOf(payment)}</span>
      </>
    ),
  },
  { head: "Status", fold: "f4", cell: (payment) => <Status status={payment.payment_status} /> },
  {
    head: "Customer",
    isLow: true,
    cell: (payment) => payment.customer_name ?? <span className="id">{payment.external_customer_id}</span>,
  },
  { head: "Method", isLow: true, cell: methodOf },
  { head: "Date", fold: "f3", cell: (payment) => <Day value={payment.created_at} /> },
  {
    head: "Amount",
    isNumber: true,
    fold: "f2",
    cell: (payment) => (
      <span className="med">
        <Money cents={payment.amount_cents} currency={payment.amount_currency} />
      </span>
    ),
  },
];

/** Where the money of a credit note goes: to be spent on later invoices, back, or against what is due. */
export function kindsOf(note: CreditNote): string[] {
  return [
    note.credit_amount_cents > 0 && "Credit",
    note.refund_amount_cents > 0 && "Refund",
    note.offset_amount_cents > 0 && "Offset",
  ].filter((kind): kind is string => Boolean(kind));
}

/** How its credit and its refund stand, each of a note that has one. A folded row has room for the one that there is. */
export const noteStatusColumns: Column<CreditNote>[] = [
  {
    head: "Credit",
    fold: "f4",
    cell: (note) => {
      if (note.credit_status && note.credit_amount_cents > 0) return <Status status={note.credit_status} />;
      return (
        <>
          <span className="dim only-wide">–</span>
          <span className="only-phone">
            <Refund note={note} />
          </span>
        </>
      );
    },
  },
  { head: "Refund", cell: (note) => <Refund note={note} /> },
];

function Refund({ note: { refund_status, refund_amount_cents } }: { note: CreditNote }) {
  if (!refund_status || refund_amount_cents === 0) return <span className="dim">–</span>;
  return <Status status={refund_status} word={refund_status === "succeeded" ? "Paid back" : undefined} />;
}

export const noteColumns: Column<CreditNote>[] = [
  {
    head: "Credit note",
    fold: "f1",
    cell: (note) => (
      <>
        <b className="med id">{note.number}</b>
        <span className="sub id">of {note.invoice_number}</span>
      </>
    ),
  },
  {
    head: "Type",
    isLow: true,
    cell: (note) => (
      <span className="row">
        {kindsOf(note).map((kind) => (
          <span className="tag" key={kind}>
            {kind}
          </span>
        ))}
      </span>
    ),
  },
  ...noteStatusColumns,
  { head: "Customer", isLow: true, cell: (note) => nameOf(note.customer) },
  { head: "Entity", isLow: true, cell: (note) => <EntityName code={note.billing_entity_code} /> },
  { head: "Issued", fold: "f3", cell: (note) => <Day value={note.issuing_date} /> },
  {
    head: "Left",
    isNumber: true,
    isLow: true,
    cell: (note) => <Money cents={note.balance_amount_cents} currency={note.currency} />,
  },
  {
    head: "Amount",
    isNumber: true,
    fold: "f2",
    cell: (note) => (
      <span className="med">
        <Money cents={note.total_amount_cents} currency={note.currency} />
      </span>
    ),
  },
];
