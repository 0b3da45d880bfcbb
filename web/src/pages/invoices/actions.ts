/** What can be done with an invoice, and when (ui §3.3): the one place that knows, for rows and for the page of details. */

export type InvoiceAction =
  | "download"
  | "download_xml"
  | "finalize"
  | "refresh"
  | "delete"
  | "retry"
  | "collect"
  | "payment_link"
  | "record_payment"
  | "credit_note"
  | "payment_status"
  | "dispute"
  | "void"
  | "regenerate"
  | "email"
  | "metadata";

export interface InvoiceState {
  status: string;
  payment_status: string;
  invoice_type: string;
  total_amount_cents: number;
  total_paid_amount_cents: number;
  total_due_amount_cents: number;
  payment_dispute_lost_at: string | null;
  /** Of an issuer who makes electronic invoices. */
  xml_url: string | null;
}

/** What the invoice itself does not tell. */
export interface Circumstances {
  /** The customer has a payment provider that collects by itself. */
  isCharged: boolean;
  /** The customer has a payment provider with pages to pay on: all but GoCardless. */
  hasPages: boolean;
  /** The entity sends an e-mail when an invoice is finalized. */
  sendsEmails: boolean;
  /** It is void, and another one may be issued in its place, as far as that is known. */
  isRegenerable?: boolean;
}

/** The actions that an invoice's state allows, in the order of menus; what the member may do is another question. */
export function possibleActions(invoice: InvoiceState, circumstances: Circumstances): InvoiceAction[] {
  return ORDER.filter((action) => CONDITIONS[action](invoice, circumstances));
}

type Condition = (invoice: InvoiceState, circumstances: Circumstances) => boolean;

const isFinalized: Condition = ({ status }) => status === "finalized";
const isDraft: Condition = ({ status }) => status === "draft";

const CONDITIONS: Record<InvoiceAction, Condition> = {
  download: isFinalized,
  download_xml: ({ status, xml_url }) => status === "finalized" && Boolean(xml_url),
  finalize: isDraft,
  refresh: isDraft,
  delete: isDraft,
  retry: ({ status }) => status === "failed",
  // Without a provider there is nobody to collect.
  collect: ({ status, payment_status }, { isCharged }) =>
    status === "finalized" && ["failed", "pending"].includes(payment_status) && isCharged,
  payment_link: ({ status, payment_status }, { hasPages }) =>
    status === "finalized" && payment_status !== "succeeded" && hasPages,
  record_payment: (invoice) =>
    invoice.status === "finalized" &&
    invoice.total_due_amount_cents > 0 &&
    invoice.total_paid_amount_cents < invoice.total_amount_cents,
  credit_note: isFinalized,
  payment_status: ({ status }) => !["draft", "voided", "failed", "pending"].includes(status),
  dispute: (invoice) => invoice.status === "finalized" && invoice.payment_dispute_lost_at === null,
  void: isFinalized,
  // Until it is known, nothing is issued twice.
  regenerate: ({ status }, { isRegenerable }) => status === "voided" && isRegenerable === true,
  email: ({ status }, { sendsEmails }) => status === "finalized" && sendsEmails,
  metadata: isFinalized,
};

const ORDER: readonly InvoiceAction[] = [
  "finalize",
  "refresh",
  "retry",
  "record_payment",
  "collect",
  "payment_link",
  "download",
  "download_xml",
  "email",
  "credit_note",
  "payment_status",
  "metadata",
  "dispute",
  "regenerate",
  "void",
  "delete",
];

/** What a member needs for each (the permissions of the calls behind them). */
export const NEEDED: Record<InvoiceAction, string> = {
  download: "invoices:view",
  download_xml: "invoices:view",
  finalize: "invoices:update",
  refresh: "invoices:update",
  delete: "invoices:delete",
  retry: "invoices:update",
  collect: "invoices:update",
  payment_link: "invoices:update",
  record_payment: "payments:create",
  credit_note: "credit_notes:create",
  payment_status: "invoices:update",
  dispute: "invoices:update",
  void: "invoices:void",
  regenerate: "invoices:create",
  email: "invoices:send",
  metadata: "invoices:update",
};
