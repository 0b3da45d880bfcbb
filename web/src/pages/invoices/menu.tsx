/** The actions of an invoice, for rows of lists and for the page of details, with the dialogs that they open. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ask, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { money } from "@/lib/money";
import { findProvider } from "@/pages/payment-providers/kinds";
import { useOpenedRow } from "@/ui/opened";
import { type Action, Confirm } from "@/ui/overlays";
import { type Circumstances, type InvoiceAction, NEEDED, possibleActions } from "./actions";
import { CollectDialog } from "./collect";
import { EmailDialog, MetadataDialog, PaymentStatusDialog } from "./dialogs";
import { openFile } from "./downloads";
import { afterDispute, type ListedInvoice, TOUCHED } from "./model";

const LABELS: Record<InvoiceAction, string> = {
  download: "Download PDF",
  download_xml: "Download XML",
  finalize: "Finalize invoice",
  refresh: "Refresh draft",
  delete: "Delete draft",
  retry: "Retry taxes",
  collect: "Retry collection",
  payment_link: "Open payment link",
  record_payment: "Record payment",
  credit_note: "Issue credit note",
  payment_status: "Update payment status",
  dispute: "Mark dispute as lost",
  void: "Void invoice",
  regenerate: "Regenerate invoice",
  email: "Send e-mail again",
  metadata: "Edit metadata",
};

const DANGEROUS: readonly InvoiceAction[] = ["void", "delete", "dispute"];

type Asked = { action: InvoiceAction; invoice: ListedInvoice };

interface Options {
  /** Those that the page shows. */
  invoices: readonly ListedInvoice[];
  circumstances: (invoice: ListedInvoice) => Circumstances;
  onDeleted?: () => void;
}

/** The menu of an invoice, and the dialogs, which stand once on the page. */
export function useInvoiceActions({ invoices, circumstances, onDeleted }: Options) {
  const can = useCan();
  const navigate = useNavigate();
  /** What a member may do with an invoice now. */
  const possible = (invoice: ListedInvoice) =>
    possibleActions(invoice, circumstances(invoice)).filter((action) => can(NEEDED[action]));
  const [asked, setAsked] = useOpenedRow<Asked>(
    "invoice",
    invoices.flatMap((invoice) => possible(invoice).map((action) => ({ action, invoice }))),
    ({ action, invoice }) => `${action}:${invoice.lago_id}`,
  );
  const close = () => setAsked(null);
  const lago = (invoice: { lago_id: string }) => ({ params: { path: { lago_id: invoice.lago_id } } });

  const changed = { touches: TOUCHED, onDone: close };
  const finalize = useChange("put", "/api/v1/invoices/{lago_id}/finalize", {
    ...changed,
    done: ({ invoice }) => `Invoice ${invoice.number} finalized`,
  });
  const refresh = useChange("put", "/api/v1/invoices/{lago_id}/refresh", {
    ...changed,
    done: "Draft refreshed",
  });
  const remove = useChange("delete", "/api/v1/invoices/{lago_id}", {
    touches: TOUCHED,
    done: "Draft deleted",
    onDone: () => {
      close();
      onDeleted?.();
    },
  });
  const retry = useChange("post", "/api/v1/invoices/{lago_id}/retry", {
    ...changed,
    done: "Taxes asked for again",
  });
  const dispute = useChange("post", "/api/v1/invoices/{lago_id}/lose_dispute", {
    ...changed,
    done: "Dispute marked as lost",
  });
  const link = useChange("post", "/api/v1/invoices/{lago_id}/payment_url", {
    touches: [],
    onDone: (answer) => openFile(answer.invoice_payment_details.payment_url),
  });
  const download = useChange("post", "/api/v1/invoices/{lago_id}/download", {
    touches: ["/api/v1/invoices/"],
    onDone: ({ invoice }) => openFile(invoice.file_url),
  });
  const downloadXml = useChange("post", "/api/v1/invoices/{lago_id}/download", {
    touches: ["/api/v1/invoices/"],
    onDone: ({ invoice }) => openFile(invoice.xml_url),
  });

  const go = (href: string) => void navigate({ to: href });
  /** What is done at once, or on a page of its own; everything else asks first, in a dialog. */
  const atOnce: Partial<Record<InvoiceAction, (invoice: ListedInvoice) => void>> = {
    record_payment: ({ lago_id }) => go(paths.payments.create({ invoice: lago_id })),
    credit_note: ({ lago_id }) => go(paths.creditNotes.create(lago_id)),
    void: ({ lago_id }) => go(paths.invoices.void(lago_id)),
    regenerate: ({ lago_id }) => go(paths.invoices.regenerate(lago_id)),
    refresh: (invoice) => refresh.mutate(lago(invoice)),
    retry: (invoice) => retry.mutate(lago(invoice)),
    payment_link: (invoice) => link.mutate(lago(invoice)),
    download: (invoice) => download.mutate(lago(invoice)),
    download_xml: (invoice) => downloadXml.mutate(lago(invoice)),
  };

  function act(action: InvoiceAction, invoice: ListedInvoice): void {
    const now = atOnce[action];
    if (now) now(invoice);
    else setAsked({ action, invoice });
  }

  function actionsOf(invoice: ListedInvoice): Action[] {
    return possible(invoice).map((action) => ({
      label: LABELS[action],
      onSelect: () => act(action, invoice),
      isDanger: DANGEROUS.includes(action),
    }));
  }

  const invoice = asked?.invoice;
  const dialogs = invoice && (
    <>
      <Confirm
        title={`Finalize this draft of ${money(invoice.total_amount_cents, invoice.currency)}?`}
        verb="Finalize invoice"
        keep="Keep draft"
        look="primary"
        isOpen={asked.action === "finalize"}
        isBusy={finalize.isPending}
        onClose={close}
        onConfirm={() => finalize.mutate(lago(invoice))}
      >
        It gets its number, is dated and can’t be changed any more. Usage that arrives later goes onto the
        next invoice.
      </Confirm>
      <Confirm
        title={`Delete this draft of ${money(invoice.total_amount_cents, invoice.currency)}?`}
        verb="Delete draft"
        keep="Keep draft"
        isOpen={asked.action === "delete"}
        isBusy={remove.isPending}
        onClose={close}
        onConfirm={() => remove.mutate(lago(invoice))}
      >
        Its fees are deleted with it, and their period is not billed again by itself.
      </Confirm>
      <Confirm
        title={`Mark the dispute about ${invoice.number} as lost?`}
        verb="Mark as lost"
        keep="Leave it"
        isOpen={asked.action === "dispute"}
        isBusy={dispute.isPending}
        onClose={close}
        onConfirm={() => dispute.mutate(lago(invoice))}
      >
        {afterDispute(invoice)} This can’t be undone.
      </Confirm>
      {asked.action === "collect" && <CollectDialog invoice={invoice} onClose={close} />}
      {asked.action === "payment_status" && <PaymentStatusDialog invoice={invoice} onClose={close} />}
      {asked.action === "metadata" && <MetadataDialog invoice={invoice} onClose={close} />}
      {asked.action === "email" && (
        <EmailDialog
          what={`invoice ${invoice.number}`}
          customerEmail={invoice.customer.email}
          path="/api/v1/invoices/{lago_id}/resend_email"
          id={invoice.lago_id}
          onClose={close}
        />
      )}
    </>
  );
  return {
    actionsOf,
    act,
    dialogs,
    isDownloading: download.isPending,
    isDownloadingXml: downloadXml.isPending,
  };
}

/** Which of the void invoices that a list shows may be regenerated. */
export function useRegenerable(invoices: readonly ListedInvoice[]): ReadonlySet<string> {
  const can = useCan();
  const lago_ids = invoices.filter((one) => one.status === "voided").map((one) => one.lago_id);
  const { data } = useQuery({
    ...ask("/app/v1/invoices/regenerable", { body: { lago_ids } }),
    enabled: lago_ids.length > 0 && can(NEEDED.regenerate),
  });
  return new Set(data?.regenerable);
}

/** What a list or a page can tell about an invoice's circumstances. */
export function circumstancesOf(
  invoice: ListedInvoice,
  entities: readonly { code: string; email_settings: string[] }[] | undefined,
): Circumstances {
  const entity = entities?.find((one) => one.code === invoice.billing_entity_code);
  const provider = findProvider(invoice.customer.billing_configuration.payment_provider ?? "");
  return {
    isCharged: provider?.charges ?? false,
    hasPages: provider?.hasPages ?? false,
    sendsEmails: entity?.email_settings.includes("invoice.finalized") ?? false,
  };
}
