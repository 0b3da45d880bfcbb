/** What became of the money that a credit note pays back, by a provider or by hand (wallets-and-payments §14). */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { money } from "@/lib/money";
import { TOUCHED } from "@/pages/invoices/model";
import type { CreditNote } from "@/pages/invoices/related-columns";
import { providerName } from "@/pages/payment-providers/kinds";
import { Why } from "@/pages/payments/collected";
import { Banner, Button, Copy, Facts, Section } from "@/ui/basics";
import { useOpened } from "@/ui/opened";
import { Confirm } from "@/ui/overlays";
import { byHand } from "./by-hand";

export const refundOf = (note: string) =>
  read("/app/v1/credit_notes/{lago_id}/refund", { params: { path: { lago_id: note } } });

interface Props {
  note: CreditNote;
}

/** Nothing of it is said as long as it is not known who pays it back. */
export function Refund({ note }: Props) {
  const refund = useQuery({ ...refundOf(note.lago_id), placeholderData: undefined }).data?.refund;
  if (refund === undefined) return null;
  if (refund === null) return note.refund_status === "succeeded" ? null : <ByHand note={note} />;
  return <ByProvider note={note} refund={refund} />;
}

function ByProvider({ note, refund }: Props & { refund: Schema<"RefundOutput"> }) {
  const { payment_provider: kind, error_code, error_message, provider_refund_id } = refund;
  const name = kind ? providerName(kind) : "The provider";
  const hasFailed = refund.refund_status === "failed";
  const isOpen = hasFailed && note.refund_status !== "succeeded";
  return (
    <Section title="Refund" actions={isOpen && <MarkPaidBack note={note} />}>
      {hasFailed && (
        <div className="banners">
          <Banner look={isOpen ? "bad" : "info"} icon={<TriangleAlert className="i" aria-hidden="true" />}>
            {name} did not pay {money(refund.amount_cents, refund.currency)} back
            {isOpen
              ? ". Pay it back in another way, and mark it here."
              : "; it was paid back in another way."}
          </Banner>
        </div>
      )}
      <Facts
        facts={[
          ["Provider", name],
          [
            "Provider’s status",
            <span key="status" className="id">
              {refund.status}
            </span>,
          ],
          ...(error_code || error_message
            ? [
                ["Because", <Why key="why" code={error_code} message={error_message} />] as [
                  string,
                  ReactNode,
                ],
              ]
            : []),
          [
            "Provider’s ID",
            provider_refund_id && <Copy key="id" text={provider_refund_id} what="provider’s ID" />,
          ],
          [
            "Of the payment",
            <Link key="payment" className="link" to={paths.payments.show(refund.lago_payment_id)}>
              Open payment
            </Link>,
          ],
        ]}
      />
    </Section>
  );
}

/** No provider was asked, and none will be: what did not come by one that pays back is a person's to pay back. */
function ByHand({ note }: Props) {
  const can = useCan();
  const query = { invoice_id: note.lago_invoice_id } as never;
  const payments = useQuery({
    ...read("/api/v1/payments", { params: { query } }),
    enabled: can("payments:view"),
  }).data?.payments;
  const why = payments && byHand(payments);
  if (!why) return null;
  return (
    <Section title="Refund" actions={<MarkPaidBack note={note} />}>
      <p className="ink2">{why}</p>
    </Section>
  );
}

function MarkPaidBack({ note }: Props) {
  const can = useCan();
  const mayMark = can("credit_notes:update");
  const [isOpen, setOpen] = useOpened("paid-back", mayMark);
  const mark = useChange("put", "/api/v1/credit_notes/{lago_id}", {
    done: "Marked as paid back",
    touches: TOUCHED,
    onDone: () => setOpen(false),
  });
  if (!mayMark) return null;
  const amount = money(note.refund_amount_cents, note.currency);
  return (
    <>
      <Button size="sm" onClick={() => setOpen(true)}>
        Mark as paid back
      </Button>
      <Confirm
        title={`Mark ${amount} as paid back?`}
        verb="Mark as paid back"
        keep="Not yet"
        look="primary"
        isOpen={isOpen}
        isBusy={mark.isPending}
        onClose={() => setOpen(false)}
        onConfirm={() =>
          mark.mutate({
            params: { path: { lago_id: note.lago_id } },
            body: { credit_note: { refund_status: "succeeded" } },
          })
        }
      >
        This notes that the money has gone back to the customer in another way. No provider is asked to pay
        it.
      </Confirm>
    </>
  );
}
