/** Small forms about an invoice: whether it is paid, what is noted on it, who gets it again. */

import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useChange } from "@/api/client";
import { explain } from "@/api/errors";
import { money } from "@/lib/money";
import { Banner, Button } from "@/ui/basics";
import { ChipsInput, Field, Select, TextInput } from "@/ui/fields";
import { Dialog } from "@/ui/overlays";
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
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="primary"
            isBusy={save.isPending}
            disabled={!isDirty}
            onClick={() =>
              save.mutate({
                params: { path: { lago_id: invoice.lago_id } },
                body: { invoice: { payment_status: status } },
              })
            }
          >
            Update status
          </Button>
        </>
      }
    >
      {save.error && <Banner look="bad">{explain(save.error)}</Banner>}
      <Field
        label="Status"
        hint={`${money(invoice.total_due_amount_cents, invoice.currency)} are due. This notes a status without a payment; to note money that came, record a payment.`}
      >
        <Select value={status} options={STATUSES} onChange={setStatus} />
      </Field>
    </Dialog>
  );
}

const MOST_NOTES = 5;

interface Note {
  /** Of a note that is there. */
  id?: string;
  /** For React: the rows that are not saved have no id. */
  row: number;
  key: string;
  value: string;
}

export function MetadataDialog({ invoice, onClose }: { invoice: ListedInvoice; onClose: () => void }) {
  const [notes, setNotes] = useState<Note[]>(() =>
    invoice.metadata.map((note, row) => ({ id: note.lago_id, row, key: note.key, value: note.value })),
  );
  const save = useChange("put", "/api/v1/invoices/{lago_id}", {
    done: "Metadata saved",
    touches: TOUCHED,
    isQuiet: true,
    onDone: onClose,
  });
  const edit = (row: number, change: Partial<Note>) =>
    setNotes(notes.map((note) => (note.row === row ? { ...note, ...change } : note)));
  const add = () => {
    const row = Math.max(-1, ...notes.map((note) => note.row)) + 1;
    setNotes([...notes, { row, key: "", value: "" }]);
  };
  const written = (all: { key: string; value: string }[]) =>
    JSON.stringify(all.map(({ key, value }) => [key, value]));
  const isDirty = written(notes) !== written(invoice.metadata);
  const isWhole = notes.every((note) => note.key.trim() && note.value.trim());
  return (
    <Dialog
      title={`Metadata of ${invoice.number}`}
      isOpen
      onClose={onClose}
      isDirty={isDirty}
      width={560}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="primary"
            isBusy={save.isPending}
            disabled={!isDirty || !isWhole}
            onClick={() =>
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
          </Button>
        </>
      }
    >
      {save.error && <Banner look="bad">{explain(save.error)}</Banner>}
      {notes.map((note, index) => (
        <div className="note-row" key={note.row}>
          <TextInput
            aria-label={`Key ${index + 1}`}
            placeholder="Key"
            maxLength={20}
            value={note.key}
            onChange={(event) => edit(note.row, { key: event.target.value })}
          />
          <TextInput
            aria-label={`Value ${index + 1}`}
            placeholder="Value"
            maxLength={255}
            value={note.value}
            onChange={(event) => edit(note.row, { value: event.target.value })}
          />
          <Button
            look="ghost"
            isIcon
            aria-label={`Remove ${note.key || `note ${index + 1}`}`}
            onClick={() => setNotes(notes.filter((one) => one.row !== note.row))}
          >
            <Trash2 className="i" aria-hidden="true" />
          </Button>
        </div>
      ))}
      {notes.length < MOST_NOTES ? (
        <div>
          <Button size="sm" onClick={add}>
            <Plus className="i" aria-hidden="true" />
            Add key and value
          </Button>
        </div>
      ) : (
        <p className="hint">Five is the most.</p>
      )}
    </Dialog>
  );
}

type ResendPath =
  | "/api/v1/invoices/{lago_id}/resend_email"
  | "/api/v1/credit_notes/{lago_id}/resend_email"
  | "/api/v1/payment_receipts/{lago_id}/resend_email";

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
      isDirty={cc.length + bcc.length > 0}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="primary"
            isBusy={send.isPending}
            disabled={to.length === 0}
            onClick={() => send.mutate({ params: { path: { lago_id: id } }, body: { to, cc, bcc } })}
          >
            Send e-mail
          </Button>
        </>
      }
    >
      {send.error && <Banner look="bad">{explain(send.error)}</Banner>}
      <Field label="To" hint="The PDF is attached.">
        <ChipsInput values={to} onChange={setTo} placeholder="name@example.com" />
      </Field>
      <Field label="Copy" isOptional>
        <ChipsInput values={cc} onChange={setCc} />
      </Field>
      <Field label="Blind copy" isOptional>
        <ChipsInput values={bcc} onChange={setBcc} />
      </Field>
    </Dialog>
  );
}
