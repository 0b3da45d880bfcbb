/** How the collection of an invoice stands, told at its head: on its way, up to the customer, or refused and why (ui §3.3). */
import { Link } from "@tanstack/react-router";
import { Clock, TriangleAlert } from "lucide-react";
import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { day } from "@/lib/dates";
import { money } from "@/lib/money";
import { providerName } from "@/pages/payment-providers/kinds";
import { Why } from "@/pages/payments/collected";
import { actionWords } from "@/pages/payments/next-action";
import { ToBeDone } from "@/pages/payments/to-be-done";
import { Banner, Button, buttonClass } from "@/ui/basics";
import type { Invoice } from "./model";

export type Collecting = Schema<"InvoiceCollectionOutput">;

export const collectingOf = (invoice: string) =>
  read("/app/v1/invoices/{lago_id}/collection", { params: { path: { lago_id: invoice } } });

interface Props {
  invoice: Invoice;
  collecting: Collecting | null | undefined;
  /** For whom may have it collected again. */
  onRetry: (() => void) | undefined;
}

/** Nothing is said of an invoice of which nothing is due any more, nor of a payment that somebody took back. */
export function CollectingBanner({ invoice, collecting, onRetry }: Props) {
  const isOwed = invoice.payment_status !== "succeeded" && invoice.total_due_amount_cents > 0;
  if (!collecting || invoice.status !== "finalized" || !isOwed) return null;
  const { payment_status: status, error_code, error_message } = collecting;
  const who = collecting.payment_provider ? providerName(collecting.payment_provider) : "The provider";
  const amount = money(collecting.amount_cents, collecting.currency);
  const open = (
    <Link className={buttonClass({ size: "sm" })} to={paths.payments.show(collecting.lago_payment_id)}>
      Open payment
    </Link>
  );
  if (status === "failed") {
    if (!error_code && !error_message) return null;
    return (
      <Banner
        look="warn"
        icon={<TriangleAlert className="i" aria-hidden="true" />}
        actions={
          <>
            {open}
            {onRetry && (
              <Button size="sm" onClick={onRetry}>
                Retry collection
              </Button>
            )}
          </>
        }
      >
        {who} did not collect {amount}: <Why code={error_code} message={error_message} />
      </Banner>
    );
  }
  if (status !== "pending" && status !== "processing") return null;
  if (actionWords(collecting.next_action)) {
    return (
      <Banner look="warn" icon={<Clock className="i" aria-hidden="true" />} actions={open}>
        {who} waits for the customer, who is to pay {amount}. <ToBeDone action={collecting.next_action} />
      </Banner>
    );
  }
  return (
    <Banner icon={<Clock className="i" aria-hidden="true" />} actions={open}>
      {who} was asked for {amount} on {day(collecting.created_at, invoice.customer.applicable_timezone)}, and
      has not said yet whether it comes.
    </Banner>
  );
}
