/** Small forms about an invoice: whether it is paid, what is noted on it, who gets it again. */

import { useState } from "react";
import { useChange } from "@/api/client";
import { explain } from "@/api/errors";
import { EmailPreview } from "@/app/email-preview";
import { money } from "@/lib/money";
import { Banner } from "@/ui/basics";
import { ChipsInput, Field, Select } from "@/ui/fields";
import { Dialog, FormButtons } from "@/ui/overlays";
import { areWhole, type KeyValueRow, KeyValueRows } from "./key-values";
import { type ListedInvoice, TOUCHED } from "./model";

const STATUSES = [
  { value: "pending", label: "Pending" },
  { value: "succeeded", label: "Paid" },
  { value: "failed", label: "Failed" },
] as const;

export function PaymentStatusDialog({ invoice, onClose }: { invoice: ListedInvoice; onClose: () => void }) {
  const [status, setStatus] = useState(invoice.payment_status as (typeof STATUSES)[number]["value"]);
  const save = useChange("put", "/api/v1/invoices/{lago_id}", {
    done: "Payment status updated",
    touches: TOUCHED,
    isQuiet: true,
    onDone: onClose,
  });
  const isDirty = status !== invoice.payment_status;
  return (
    <Dialog
      title={`Payment status of ${invoice.number}`}
      isOpen
      onClose={onClose}
      isDirty={isDirty}
      footer={
        <FormButtons
          onCancel={onClose}
          isBusy={save.isPending}
          isDisabled={!isDirty}
          onSave={() =>
            save.mutate({
              params: { path: { lago_id: invoice.lago_id } },
              body: { invoice: { payment_status: status } },
            })
          }
        >
          Update status
        </FormButtons>
      }
    >
      {save.error && <Banner look="bad">{explain(save.error)}</Banner>}
      <Field
        label="Status"
        hint={`${money(invoice.total_due_amount_cents, invoice.currency)} is due. This notes a status without a payment; to note money that came, record a payment.`}
      >
        <Select value={status} options={STATUSES} onChange={setStatus} />
      </Field>
    </Dialog>
  );
}

const MOST_NOTES = 5;

export function MetadataDialog({ invoice, onClose }: { invoice: ListedInvoice; onClose: () => void }) {
  const [notes, setNotes] = useState<KeyValueRow[]>(() =>
    invoice.metadata.map((note, row) => ({ id: note.lago_id, row, key: note.key, value: note.value })),
  );
  const save = useChange("put", "/api/v1/invoices/{lago_id}", {
    done: "Metadata saved",
    touches: TOUCHED,
    isQuiet: true,
    onDone: onClose,
  });
  const written = (all: { key: string; value: string }[]) =>
    JSON.stringify(all.map(({ key, value }) => [key, value]));
  const isDirty = written(notes) !== written(invoice.metadata);
  return (
    <Dialog
      title={`Metadata of ${invoice.number}`}
      isOpen
      onClose={onClose}
      isDirty={isDirty}
      width={560}
      footer={
        <FormButtons
          onCancel={onClose}
          isBusy={save.isPending}
          isDisabled={!isDirty || !areWhole(notes)}
          onSave={() =>
            save.mutate({
              params: { path: { lago_id: invoice.lago_id } },
              body: {
                invoice: {
                  metadata: notes.map(({ id, key, value }) => ({
                    ...(id && { id }),
                    key: key.trim(),
                    value: value.trim(),
                  })),
                },
              },
            })
          }
        >
          Save metadata
        </FormButtons>
      }
    >
      {save.error && <Banner look="bad">{explain(save.error)}</Banner>}
      <KeyValueRows rows={notes} most={MOST_NOTES} longestKey={20} onChange={setNotes} />
    </Dialog>
  );
}

type ResendPath =
  | "/api/v1/invoices/{lago_id}/resend_email"
  | "/api/v1/credit_notes/{lago_id}/resend_email"
  | "/api/v1/payment_receipts/{lago_id}/resend_email";

const PREVIEWS = {
  "/api/v1/invoices/{lago_id}/resend_email": "/app/v1/email_previews/invoices/{lago_id}",
  "/api/v1/credit_notes/{lago_id}/resend_email": "/app/v1/email_previews/credit_notes/{lago_id}",
  "/api/v1/payment_receipts/{lago_id}/resend_email": "/app/v1/email_previews/payment_receipts/{lago_id}",
} as const;

/** Send a document again: to the customer where nobody is named. */
export function EmailDialog({
  what,
  customerEmail,
  path,
  id,
  onClose,
}: {
  what: string;
  customerEmail: string | null;
  path: ResendPath;
  id: string;
  onClose: () => void;
}) {
  const [to, setTo] = useState<string[]>(() =>
    customerEmail ? customerEmail.split(",").map((one) => one.trim()) : [],
  );
  const [cc, setCc] = useState<string[]>([]);
  const [bcc, setBcc] = useState<string[]>([]);
  const send = useChange("post", path, { done: "E-mail sent", touches: [], isQuiet: true, onDone: onClose });
  return (
    <Dialog
      title={`Send ${what} again`}
      isOpen
      onClose={onClose}
      width={620}
      isDirty={cc.length + bcc.length > 0}
      footer={
        <FormButtons
          onCancel={onClose}
          isBusy={send.isPending}
          isDisabled={to.length === 0}
          onSave={() => send.mutate({ params: { path: { lago_id: id } }, body: { to, cc, bcc } })}
        >
          Send e-mail
        </FormButtons>
      }
    >
      {send.error && <Banner look="bad">{explain(send.error)}</Banner>}
      <Field label="To">
        <ChipsInput values={to} onChange={setTo} placeholder="name@example.com" />
      </Field>
      <Field label="Copy" isOptional>
        <ChipsInput values={cc} onChange={setCc} />
      </Field>
      <Field label="Blind copy" isOptional>
        <ChipsInput values={bcc} onChange={setBcc} />
      </Field>
      <EmailPreview path={PREVIEWS[path]} id={id} />
    </Dialog>
  );
}
