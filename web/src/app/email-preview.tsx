/** An e-mail as it would be read. */
import { useQuery } from "@tanstack/react-query";
import { read, type Schema } from "@/api/client";
import { Loaded, Skeleton } from "@/ui/states";
import "./email-preview.css";

export type PreviewPath =
  | "/app/v1/email_previews/invoices/{lago_id}"
  | "/app/v1/email_previews/credit_notes/{lago_id}"
  | "/app/v1/email_previews/payment_receipts/{lago_id}"
  | "/app/v1/email_previews/payment_requests/{lago_id}";

interface EmailPreviewProps {
  path: PreviewPath;
  id: string;
  /** Instead of the customer's language. */
  locale?: string | undefined;
  /** As wide as a phone. */
  isNarrow?: boolean;
}

/** Of a document that is there. */
export function EmailPreview({ path, id, locale, isNarrow }: EmailPreviewProps) {
  const query = useQuery({
    ...read(path, { params: { path: { lago_id: id }, query: { ...(locale && { locale }) } } }),
    placeholderData: undefined,
  });
  return (
    <Loaded query={query} what="Preview" skeleton={<Skeleton width="60%" />}>
      {({ email_preview }) => <Letter preview={email_preview} isNarrow={isNarrow ?? false} />}
    </Loaded>
  );
}

interface SampleProps extends Pick<EmailPreviewProps, "locale" | "isNarrow"> {
  kind: "invoice" | "credit_note" | "payment_receipt" | "payment_request";
  /** Who sends it, by its code: the default billing entity where none is named. */
  entity?: string;
}

/** Of a document that there is none of. */
export function SampleEmail({ kind, entity, locale, isNarrow }: SampleProps) {
  const query = useQuery({
    ...read("/app/v1/email_previews/samples/{kind}", {
      params: {
        path: { kind },
        query: { ...(locale && { locale }), ...(entity && { billing_entity_code: entity }) },
      },
    }),
    placeholderData: undefined,
  });
  return (
    <Loaded query={query} what="Preview" skeleton={<Skeleton width="60%" />}>
      {({ email_preview }) => <Letter preview={email_preview} isNarrow={isNarrow ?? false} />}
    </Loaded>
  );
}

/** In a frame where no script runs. */
export function Letter({ preview, isNarrow }: { preview: Schema<"EmailPreviewOutput">; isNarrow: boolean }) {
  return (
    <div className={isNarrow ? "mail-preview narrow" : "mail-preview"}>
      <p className="small">
        <span className="dim">From</span> {preview.sender}
        <br />
        <span className="dim">Subject</span> <b className="med">{preview.subject}</b>
      </p>
      <iframe title="E-mail" sandbox="" srcDoc={preview.html} />
      {preview.attachments.length > 0 && <p className="hint">Attached: {preview.attachments.join(", ")}</p>}
    </div>
  );
}
