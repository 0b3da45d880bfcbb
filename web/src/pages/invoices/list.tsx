import { useQuery } from "@tanstack/react-query";
import { FileDown } from "lucide-react";
import { useState } from "react";
import { read, useChange } from "@/api/client";
import { EntityName } from "@/app/entity-name";
import { paths } from "@/app/paths";
import { useCan, useOrganization } from "@/app/session";
import { CreateButton } from "@/app/shell";
import { countWords } from "@/lib/words";
import { nameOf } from "@/pages/customers/list";
import { Day, Money } from "@/ui/amounts";
import { Button } from "@/ui/basics";
import { Bulk } from "@/ui/bulk";
import { List, useListState, useRows } from "@/ui/list";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";
import { Status } from "@/ui/status";
import type { Column } from "@/ui/table";
import { notify } from "@/ui/toasts";
import { type InvoiceAction, possibleActions } from "./actions";
import { CollectAll } from "./collect";
import { ExportDialog } from "./export-dialog";
import { filtersOf, QUICK, queryOf } from "./filters";
import "./invoices.css";
import { useOpened } from "@/ui/opened";
import { circumstancesOf, useInvoiceActions, useRegenerable } from "./menu";
import { type ListedInvoice, type Payable, paymentOf, TOUCHED } from "./model";

const invoiceColumns: Column<ListedInvoice>[] = [
  {
    head: "Invoice",
    fold: "f1",
    cell: (invoice) => (
      <>
        <b className="med id">{invoice.number}</b>
        <span className="sub trunc">{nameOf(invoice.customer)}</span>
      </>
    ),
  },
  { head: "Status", isLow: true, cell: (invoice) => <Status status={invoice.status} /> },
  { head: "Payment", fold: "f4", cell: (invoice) => <PaymentStatus invoice={invoice} /> },
  { head: "Entity", isLow: true, cell: (invoice) => <EntityName code={invoice.billing_entity_code} /> },
  {
    head: "Issued",
    fold: "f3",
    cell: (invoice) => <Day value={invoice.issuing_date} />,
  },
  {
    head: "Due",
    isNumber: true,
    isLow: true,
    cell: (invoice) => <Money cents={invoice.total_due_amount_cents} currency={invoice.currency} />,
  },
  {
    head: "Amount",
    isNumber: true,
    fold: "f2",
    cell: (invoice) => (
      <span className="med">
        <Money cents={invoice.total_amount_cents} currency={invoice.currency} />
      </span>
    ),
  },
];

export function PaymentStatus({ invoice, isTint }: { invoice: Payable; isTint?: boolean }) {
  const found = paymentOf(invoice);
  if (found) return <Status {...found} {...(isTint && { isTint })} />;
  if (isTint) return null;
  // Where the status column has gone, its word stands here.
  return (
    <>
      <span className="narrow-only">
        <Status status={invoice.status} />
      </span>
      <span className="dim wide-only">–</span>
    </>
  );
}

export function Invoices() {
  const can = useCan();
  const list = useListState();
  const { default_currency } = useOrganization();
  const [isExporting, setExporting] = useOpened("export", can("invoices:export"));
  const filters = queryOf(list.filters, default_currency);
  const asked = { ...filters, ...(list.term && { search_term: list.term }) };
  const invoices = useRows(list, (page) =>
    read("/api/v1/invoices", { params: { query: { ...asked, ...page } as never } }),
  );
  const shown = invoices.pages.flatMap((page) => page.invoices);
  const entities = useQuery({ ...read("/api/v1/billing_entities"), enabled: can("billing_entities:view") });
  const known = entities.data?.billing_entities;
  const regenerable = useRegenerable(shown);
  const { actionsOf, dialogs } = useInvoiceActions({
    invoices: shown,
    circumstances: (invoice) => ({
      ...circumstancesOf(invoice, known),
      isRegenerable: regenerable.has(invoice.lago_id),
    }),
  });
  const create = can("invoices:create") && (
    <CreateButton href={paths.invoices.create()}>New one-off invoice</CreateButton>
  );
  const quiet = { isQuiet: true, touches: [] };
  const retry = useChange("post", "/api/v1/invoices/{lago_id}/retry", quiet);
  const thatCan = (action: InvoiceAction) =>
    shown
      .filter((one) => possibleActions(one, circumstancesOf(one, known)).includes(action))
      .map((one) => one.lago_id);
  const failed = list.filters.status === "failed" ? thatCan("retry") : [];
  const collectable = thatCan("collect");
  const drafts = shown.filter((invoice) => invoice.status === "draft");
  return (
    <Page title="Invoices" actions={create}>
      <List
        what="invoices"
        controls={list}
        query={invoices}
        rowsOf={(page) => page.invoices}
        columns={invoiceColumns}
        keyOf={(invoice) => invoice.lago_id}
        hrefOf={(invoice) => paths.invoices.show(invoice.customer.external_id, invoice.lago_id)}
        actions={(invoice) => (
          <ActionMenu label={`Actions of ${invoice.number}`} actions={actionsOf(invoice)} />
        )}
        isTall
        searchHint="Number, customer or ID"
        quickFilters={QUICK}
        filters={filtersOf(known ?? [])}
        toolbar={
          <>
            {list.filters.status === "draft" && drafts.length > 0 && can("invoices:update") && (
              <FinalizeAll drafts={drafts} />
            )}
            {can("invoices:update") && failed.length > 0 && (
              <Bulk
                verb="Retry"
                noun="invoice"
                ids={failed}
                touches={TOUCHED}
                act={(id) => retry.mutateAsync({ params: { path: { lago_id: id } } })}
              >
                <p>Their taxes are asked for again; what is answered is issued.</p>
              </Bulk>
            )}
            {can("invoices:update") && collectable.length > 0 && isOutstanding(list.filters) && (
              <CollectAll invoices={shown.filter((one) => collectable.includes(one.lago_id))} />
            )}
            {can("invoices:export") && (
              <Button size="sm" onClick={() => setExporting(true)}>
                <FileDown className="i" aria-hidden="true" />
                Export
              </Button>
            )}
          </>
        }
        empty={
          <Empty title="No invoices yet" actions={create}>
            They come by themselves when a subscription’s period ends. A one-off invoice bills add-ons at
            once.
          </Empty>
        }
      />
      {dialogs}
      {isExporting && (
        <ExportDialog
          what="invoices"
          simple="invoices"
          detailed="invoice_fees"
          detailedLabel="One row a fee"
          filters={asked}
          count={invoices.data?.meta.total_count}
          onClose={() => setExporting(false)}
        />
      )}
    </Page>
  );
}

/** Whether the list shows what is to be paid. */
function isOutstanding(filters: Record<string, string>): boolean {
  return filters.payment_overdue === "true" || /pending|failed/.test(filters["payment_statuses[]"] ?? "");
}

const MOST_AT_ONCE = 50;

/** Finalizes the drafts that are shown: each stands for itself, and what fails is counted. */
function FinalizeAll({ drafts }: { drafts: readonly ListedInvoice[] }) {
  const [isAsking, setAsking] = useState(false);
  const chosen = drafts.slice(0, MOST_AT_ONCE);
  const count = countWords(chosen.length, "draft");
  const finalize = useChange("post", "/app/v1/invoices/finalize", {
    touches: TOUCHED,
    onDone: ({ finalizations }) => {
      setAsking(false);
      const failed = finalizations.filter((one) => one.code !== null).length;
      if (failed > 0) notify.failed(`${failed} of ${count} could not be finalized`);
      else notify.done(`${count} finalized`);
    },
  });
  return (
    <>
      <Button size="sm" onClick={() => setAsking(true)}>
        Finalize {count}
      </Button>
      <Confirm
        title={`Finalize the ${count} shown here?`}
        verb={`Finalize ${count}`}
        keep="Keep them"
        look="primary"
        isOpen={isAsking}
        isBusy={finalize.isPending}
        onClose={() => setAsking(false)}
        onConfirm={() => finalize.mutate({ body: { lago_ids: chosen.map((draft) => draft.lago_id) } })}
      >
        Each gets its number, is dated and can’t be changed any more. Usage that arrives later goes onto the
        next invoices.
      </Confirm>
    </>
  );
}
