/** A customer's invoices, payments and credit notes. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Download, Plus } from "lucide-react";
import { read, type Schema, WHOLE } from "@/api/client";
import { explain } from "@/api/errors";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countWords } from "@/lib/words";
import { openFile } from "@/pages/invoices/downloads";
import { entityFilter } from "@/pages/invoices/filters";
import { paymentOf, TYPES } from "@/pages/invoices/model";
import { methodOf, noteStatusColumns } from "@/pages/invoices/related-columns";
import { Day, Money } from "@/ui/amounts";
import { buttonClass, Stat, Stats } from "@/ui/basics";
import { type Asked, List, useListState, useRows } from "@/ui/list";
import { ActionMenu } from "@/ui/overlays";
import { Empty, LoadedStat, type QueryLike } from "@/ui/states";
import { Status } from "@/ui/status";
import { type Column, Table } from "@/ui/table";
import { notify } from "@/ui/toasts";
import { Amounts, BalanceDue, issuerName, writtenOut } from "./balance";
import { byCurrency, type Customer, type Invoice } from "./customer";
import type { TabProps } from "./page";

export function InvoiceStatus({ invoice }: { invoice: Invoice }) {
  return <Status {...(paymentOf(invoice) ?? { status: invoice.status })} />;
}

function invoiceColumns(customer: Customer): Column<Invoice>[] {
  return [
    { head: "Number", fold: "f1", cell: (one) => <span className="id med">{one.number}</span> },
    {
      head: "Issued",
      fold: "f3",
      cell: (one) => <Day value={one.issuing_date} zone={customer.applicable_timezone} />,
    },
    {
      head: "For",
      isLow: true,
      cell: (one) => <span className="ink2">{TYPES[one.invoice_type] ?? one.invoice_type}</span>,
    },
    { head: "Status", fold: "f4", cell: (one) => <InvoiceStatus invoice={one} /> },
    {
      head: "Total",
      isNumber: true,
      fold: "f2",
      cell: (one) => <Money cents={one.total_amount_cents} currency={one.currency} />,
    },
    {
      head: "Due",
      isNumber: true,
      cell: (one) => <Money cents={one.total_due_amount_cents} currency={one.currency} />,
    },
  ];
}

const hrefOfInvoice = (customer: Customer) => (invoice: Invoice) =>
  paths.invoices.show(customer.external_id, invoice.lago_id);

export function InvoiceTable({ invoices, customer }: { invoices: readonly Invoice[]; customer: Customer }) {
  return (
    <Table
      label="Invoices"
      rows={invoices}
      columns={invoiceColumns(customer)}
      keyOf={(one) => one.lago_id}
      hrefOf={hrefOfInvoice(customer)}
    />
  );
}

function useOwnList(customer: Customer) {
  const list = useListState();
  const paramsOf = (asked: Asked) => ({
    path: { external_customer_id: customer.external_id },
    query: { ...asked, ...list.sought, ...list.filters } as never,
  });
  return { list, paramsOf };
}

export function Invoices({ customer, reads }: TabProps) {
  const can = useCan();
  const { list, paramsOf } = useOwnList(customer);
  const invoices = useRows(list, (asked) =>
    read("/api/v1/customers/{external_customer_id}/invoices", { params: paramsOf(asked) }),
  );
  const entities = reads.entities.data?.billing_entities ?? [];
  return (
    <div className="tab-body">
      <List
        what="invoices"
        controls={list}
        query={invoices}
        rowsOf={(page) => page.invoices}
        columns={invoiceColumns(customer)}
        keyOf={(one) => one.lago_id}
        hrefOf={hrefOfInvoice(customer)}
        searchHint="Invoice number"
        quickFilters={[
          { label: "All", filters: {} },
          { label: "Drafts", filters: { status: "draft" } },
          { label: "Overdue", filters: { payment_overdue: "true" } },
          { label: "Paid", filters: { payment_status: "succeeded" } },
          { label: "Voided", filters: { status: "voided" } },
        ]}
        filters={[
          { key: "currency", label: "Currency" },
          ...entityFilter(entities),
          { key: "issuing_date_from", label: "Issued from", kind: "date" },
          { key: "issuing_date_to", label: "Issued until", kind: "date" },
        ]}
        toolbar={
          can("invoices:create") && (
            <Link
              className={buttonClass({ size: "sm" })}
              to={paths.invoices.create({ customer: customer.external_id })}
            >
              <Plus className="i" aria-hidden="true" />
              One-off invoice
            </Link>
          )
        }
        empty={
          <Empty title="No invoices yet">The first one comes at the end of the first billing period.</Empty>
        }
      />
    </div>
  );
}

type Payment = Schema<"PaymentOutput">;

const paymentColumns = (zone: string): Column<Payment>[] => [
  {
    head: "Invoice",
    fold: "f1",
    cell: (one) => <span className="id med">{one.invoice_numbers.join(", ") || one.reference || "–"}</span>,
  },
  { head: "Status", fold: "f4", cell: (one) => <Status status={one.payment_status} /> },
  {
    head: "Method",
    isLow: true,
    cell: (one) =>
      one.type === "manual" ? `By hand${one.reference ? `, ${one.reference}` : ""}` : methodOf(one),
  },
  { head: "Date", fold: "f3", cell: (one) => <Day value={one.created_at} zone={zone} /> },
  {
    head: "Amount",
    isNumber: true,
    fold: "f2",
    cell: (one) => <Money cents={one.amount_cents} currency={one.amount_currency} />,
  },
];

export function Payments({ customer, reads }: TabProps) {
  const can = useCan();
  const { list, paramsOf } = useOwnList(customer);
  const payments = useRows(list, (asked) =>
    read("/api/v1/customers/{external_customer_id}/payments", { params: paramsOf(asked) }),
  );
  const download = useReceipt();
  const owed = reads.unpaid.data?.invoices.filter((one) => one.total_due_amount_cents > 0) ?? [];
  const record = can("payments:create") && owed.length > 0 && (
    <Link
      className={buttonClass({ size: "sm" })}
      to={paths.payments.create(
        owed.length === 1 ? { invoice: owed[0]!.lago_id } : { customer: customer.external_id },
      )}
    >
      <Plus className="i" aria-hidden="true" />
      Record payment
    </Link>
  );
  return (
    <div className="tab-body">
      {can("invoices:view") && (
        <Stats>
          <BalanceDue customer={customer} reads={reads} />
        </Stats>
      )}
      <List
        what="payments"
        controls={list}
        query={payments}
        rowsOf={(page) => page.payments}
        columns={paymentColumns(customer.applicable_timezone)}
        keyOf={(one) => one.lago_id}
        hrefOf={(one) => paths.payments.show(one.lago_id)}
        searchHint="Reference or invoice"
        toolbar={record}
        actions={(one) => (
          <ActionMenu
            label={`More for the payment of ${one.invoice_numbers.join(", ")}`}
            actions={[
              {
                label: "Download receipt",
                icon: <Download className="i" aria-hidden="true" />,
                onSelect: () => void download(one),
                isShown: one.payment_status === "succeeded" && can("payment_receipts:view"),
              },
            ]}
          />
        )}
        empty={<Empty title="No payments yet">What the customer pays is listed here.</Empty>}
      />
    </div>
  );
}

/** Opens the receipt of a payment, which is looked for at this moment. */
export function useReceipt() {
  const queries = useQueryClient();
  // Its file is made when it is asked for by itself.
  const fileOf = async (id: string) => {
    const one = read("/api/v1/payment_receipts/{lago_id}", { params: { path: { lago_id: id } } });
    return (await queries.fetchQuery(one)).payment_receipt.file_url;
  };
  return async (payment: Payment) => {
    try {
      const { payment_receipts: found } = await queries.fetchQuery(
        read("/api/v1/payment_receipts", {
          params: { query: { invoice_id: payment.invoice_ids[0] } as never },
        }),
      );
      const receipt = found.find((one) => one.payment.lago_id === payment.lago_id);
      if (receipt) openFile(await fileOf(receipt.lago_id));
      else notify.failed("This payment has no receipt");
    } catch (error) {
      notify.failed(explain(error));
    }
  };
}

type CreditNote = Schema<"CreditNoteOutput">;

const noteColumns = (zone: string): Column<CreditNote>[] => [
  { head: "Number", fold: "f1", cell: (one) => <span className="id med">{one.number}</span> },
  { head: "Invoice", fold: "f3", cell: (one) => <span className="id">{one.invoice_number}</span> },
  ...noteStatusColumns,
  { head: "Issued", isLow: true, cell: (one) => <Day value={one.issuing_date} zone={zone} /> },
  {
    head: "Total",
    isNumber: true,
    fold: "f2",
    cell: (one) => <Money cents={one.total_amount_cents} currency={one.currency} />,
  },
  {
    head: "Left to use",
    isNumber: true,
    cell: (one) => <Money cents={one.balance_amount_cents} currency={one.currency} />,
  },
];

interface CreditLeftProps {
  customer: Customer;
  query: QueryLike<Schema<"CreditNotesResponse">>;
  entities: readonly { code: string; name: string }[];
}

/** What is left of the customer's credit notes, by currency, and by issuer where there are several. */
function CreditLeft({ customer, query, entities }: CreditLeftProps) {
  const page = query.data;
  const notes = page?.credit_notes ?? [];
  const sumOf = (some: readonly CreditNote[]) =>
    byCurrency(some.map((one) => ({ cents: one.balance_amount_cents, currency: one.currency })));
  const issuers = [...Map.groupBy(notes, (one) => one.billing_entity_code)];
  const count = notes.filter((one) => one.balance_amount_cents > 0).length;
  return (
    <Stats>
      <LoadedStat name="Left to use" query={query}>
        {() => (
          <Stat
            name={(page?.meta.total_pages ?? 0) > 1 ? "Left to use, of the newest 100" : "Left to use"}
            value={<Amounts amounts={sumOf(notes)} currency={customer.currency} />}
            detail={
              issuers.length > 1
                ? issuers
                    .map(([code, own]) => `${issuerName(code, entities)}: ${writtenOut(sumOf(own))}`)
                    .join("; ")
                : countWords(count, "credit note")
            }
          />
        )}
      </LoadedStat>
    </Stats>
  );
}

export function CreditNotes({ customer, reads }: TabProps) {
  const { list, paramsOf } = useOwnList(customer);
  const notes = useRows(list, (asked) =>
    read("/api/v1/customers/{external_customer_id}/credit_notes", { params: paramsOf(asked) }),
  );
  const open = useQuery(
    read("/api/v1/customers/{external_customer_id}/credit_notes", {
      params: {
        path: { external_customer_id: customer.external_id },
        query: { credit_status: "available", ...WHOLE } as never,
      },
    }),
  );
  return (
    <div className="tab-body">
      <CreditLeft customer={customer} query={open} entities={reads.entities.data?.billing_entities ?? []} />
      <List
        what="credit notes"
        controls={list}
        query={notes}
        rowsOf={(page) => page.credit_notes}
        columns={noteColumns(customer.applicable_timezone)}
        keyOf={(one) => one.lago_id}
        hrefOf={(one) => paths.creditNotes.show(customer.external_id, one.lago_id)}
        searchHint="Credit note number"
        filters={[
          { key: "currency", label: "Currency" },
          {
            key: "credit_status",
            label: "Credit",
            options: [
              { value: "available", label: "Available" },
              { value: "consumed", label: "Consumed" },
              { value: "voided", label: "Voided" },
            ],
          },
        ]}
        empty={<Empty title="No credit notes">An invoice that billed too much is corrected by one.</Empty>}
      />
    </div>
  );
}
