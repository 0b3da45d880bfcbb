import { useQuery } from "@tanstack/react-query";
import { FileDown } from "lucide-react";
import { read } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useOrganization } from "@/app/session";
import { ExportDialog } from "@/pages/invoices/export-dialog";
import { entityFilter, queryOf, YES } from "@/pages/invoices/filters";
import "@/pages/invoices/invoices.css";
import { noteColumns } from "@/pages/invoices/related-columns";
import { Button } from "@/ui/basics";
import { type Filter, List, type QuickFilter, useListState, useRows } from "@/ui/list";
import { useOpened } from "@/ui/opened";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";
import { REASONS } from "./reasons";

const QUICK: QuickFilter[] = [
  { label: "All", filters: {} },
  { label: "Credit", filters: { "types[]": "credit" } },
  { label: "Refund", filters: { "types[]": "refund" } },
  { label: "Offset", filters: { "types[]": "offset" } },
];

const filtersOf = (entities: readonly { code: string; name: string }[]): Filter[] => [
  {
    key: "credit_status",
    label: "Credit",
    options: [
      { value: "available", label: "Available" },
      { value: "consumed", label: "Consumed" },
      { value: "voided", label: "Voided" },
    ],
  },
  {
    key: "refund_status",
    label: "Refund",
    options: [
      { value: "pending", label: "Pending" },
      { value: "succeeded", label: "Paid back" },
      { value: "failed", label: "Failed" },
    ],
  },
  { key: "reason", label: "Reason", options: REASONS },
  { key: "external_customer_id", label: "Customer’s external ID" },
  { key: "invoice_number", label: "Invoice number" },
  { key: "currency", label: "Currency" },
  { key: "issuing_date_from", label: "Issued from", kind: "date" },
  { key: "issuing_date_to", label: "Issued to", kind: "date" },
  { key: "amount_from", label: "Amount at least", kind: "number" },
  { key: "amount_to", label: "Amount at most", kind: "number" },
  {
    key: "self_billed",
    label: "Billed by a partner",
    options: YES,
  },
  ...entityFilter(entities),
  { key: "purchase_order_number", label: "PO number" },
];

export function CreditNotes() {
  const can = useCan();
  const list = useListState();
  const { default_currency } = useOrganization();
  const [isExporting, setExporting] = useOpened("export", can("credit_notes:export"));
  const asked = {
    ...queryOf(list.filters, default_currency),
    ...(list.term && { search_term: list.term }),
  };
  const notes = useRows(list, (page) =>
    read("/api/v1/credit_notes", { params: { query: { ...asked, ...page } as never } }),
  );
  const entities = useQuery({ ...read("/api/v1/billing_entities"), enabled: can("billing_entities:view") });
  return (
    <Page title="Credit notes">
      <List
        what="credit notes"
        controls={list}
        query={notes}
        rowsOf={(page) => page.credit_notes}
        columns={noteColumns}
        keyOf={(note) => note.lago_id}
        hrefOf={(note) => paths.creditNotes.show(note.customer.external_id, note.lago_id)}
        isTall
        searchHint="Number, customer or ID"
        quickFilters={QUICK}
        filters={filtersOf(entities.data?.billing_entities ?? [])}
        toolbar={
          can("credit_notes:export") && (
            <Button size="sm" onClick={() => setExporting(true)}>
              <FileDown className="i" aria-hidden="true" />
              Export
            </Button>
          )
        }
        empty={
          <Empty title="No credit notes yet">
            They give money back on an invoice: issue one from the invoice’s own page.
          </Empty>
        }
      />
      {isExporting && (
        <ExportDialog
          what="credit notes"
          simple="credit_notes"
          detailed="credit_note_items"
          detailedLabel="One row an item"
          filters={asked}
          count={notes.data?.meta.total_count}
          onClose={() => setExporting(false)}
        />
      )}
    </Page>
  );
}
