/** What became of the money that a credit note pays back (wallets-and-payments §14). */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { read } from "@/api/client";
import { paths } from "@/app/paths";
import { money } from "@/lib/money";
import type { CreditNote } from "@/pages/invoices/related-columns";
import { providerName } from "@/pages/payment-providers/kinds";
import { Why } from "@/pages/payments/collected";
import { Banner, Copy, Facts, Section } from "@/ui/basics";

export const refundOf = (note: string) =>
  read("/app/v1/credit_notes/{lago_id}/refund", { params: { path: { lago_id: note } } });

/** Nothing of it is said where no provider was asked: such money is paid back by hand. */
export function Refund({ note }: { note: CreditNote }) {
  const refund = useQuery({ ...refundOf(note.lago_id), placeholderData: undefined }).data?.refund;
  if (!refund) return null;
  const { payment_provider: kind, error_code, error_message, refund_status, provider_refund_id } = refund;
  const name = kind ? providerName(kind) : "The provider";
  return (
    <Section title="Refund">
      {refund_status === "failed" && (
        <Banner look="bad" icon={<TriangleAlert className="i" aria-hidden="true" />}>
          {name} did not pay {money(refund.amount_cents, refund.currency)} back. Pay it back in another way,
          and note that on the credit note by <span className="id">PUT /api/v1/credit_notes</span>.
        </Banner>
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
