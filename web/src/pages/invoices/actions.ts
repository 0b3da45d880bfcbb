/** What can be done with an invoice, and when (ui §3.3): the one place that knows, for rows and for the page of details. */

export type InvoiceAction =
  | "download"
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
}

/** What the invoice itself does not tell. */
export interface Circumstances {
  /** The customer has a payment provider that collects by itself. */
  isCharged: boolean;
  /** The customer has a payment provider with pages to pay on: all but GoCardless. */
  hasPages: boolean;
  /** The entity sends an e-mail when an invoice is finalized. */
  sendsEmails: boolean;
  isRegenerated?: boolean;
  isCustomerDeleted?: boolean;
  /** Only asked for prepaid credits: these are regenerated into a wallet. */
  hasActiveWallet?: boolean;
}

/** The types that the server issues anew; prepaid credits need a wallet to go into. */
export const REGENERABLE: readonly string[] = ["subscription", "one_off", "credit"];

/** The actions that an invoice's state allows, in the order of menus; what the member may do is another question. */
export function possibleActions(invoice: InvoiceState, circumstances: Circumstances): InvoiceAction[] {
  return ORDER.filter((action) => CONDITIONS[action](invoice, circumstances));
}

type Condition = (invoice: InvoiceState, circumstances: Circumstances) => boolean;

const isFinalized: Condition = ({ status }) => status === "finalized";
const isDraft: Condition = ({ status }) => status === "draft";

const CONDITIONS: Record<InvoiceAction, Condition> = {
  download: isFinalized,
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
  regenerate: ({ status, invoice_type }, { isRegenerated, isCustomerDeleted, hasActiveWallet }) =>
    status === "voided" &&
    REGENERABLE.includes(invoice_type) &&
    !isRegenerated &&
    !isCustomerDeleted &&
    (invoice_type !== "credit" || hasActiveWallet === true),
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
