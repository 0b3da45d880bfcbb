/** What a provider tells of a payment that it was asked for (ui §3.4). */
import { useQuery } from "@tanstack/react-query";
import { read } from "@/api/client";
import type { Payment } from "@/pages/invoices/related-columns";
import { providerName } from "@/pages/payment-providers/kinds";
import { expiryOf, inWords, methodName } from "@/pages/payment-providers/methods";
import { Copy, Facts, Section } from "@/ui/basics";
import { Loaded, Skeleton } from "@/ui/states";
import { actionWords } from "./next-action";
import { ToBeDone } from "./to-be-done";

export const collectionOf = (payment: string) =>
  read("/app/v1/payments/{lago_id}/collection", { params: { path: { lago_id: payment } } });

export function Collected({ payment }: { payment: Payment }) {
  const query = useQuery({ ...collectionOf(payment.lago_id), placeholderData: undefined });
  const kind = payment.payment_provider_type;
  const isWaiting = payment.payment_status === "pending" || payment.payment_status === "processing";
  const isUpToCustomer = isWaiting && actionWords(payment.next_action) !== null;
  return (
    <Section title="Collection">
      <Loaded query={query} what="What the provider tells" skeleton={<Skeleton width="60%" />}>
        {({
          collection: { payment_provider_name: name, payment_method: method, error_code, error_message },
        }) => (
          <Facts
            facts={[
              [
                "Provider",
                kind &&
                  (name && name !== providerName(kind)
                    ? `${providerName(kind)}, ${name}`
                    : providerName(kind)),
              ],
              ["Method", method && [methodName(method), expiryOf(method)].filter(Boolean).join(", ")],
              [
                "Provider’s status",
                <span key="status" className="id">
                  {payment.status}
                </span>,
              ],
              ...(error_code || error_message
                ? [
                    ["Refused because", <Why key="why" code={error_code} message={error_message} />] as [
                      string,
                      React.ReactNode,
                    ],
                  ]
                : []),
              ...(isUpToCustomer
                ? [
                    ["To be done", <ToBeDone key="action" action={payment.next_action} />] as [
                      string,
                      React.ReactNode,
                    ],
                  ]
                : []),
              [
                "Provider’s ID",
                payment.provider_payment_id && (
                  <Copy key="id" text={payment.provider_payment_id} what="provider’s ID" />
                ),
              ],
            ]}
          />
        )}
      </Loaded>
    </Section>
  );
}

/** In the provider's words, with the code that its documentation explains; the code's own words where there are no others. */
export function Why({ code, message }: { code: string | null; message: string | null }) {
  return (
    <>
      {message ?? (code && `${inWords(code)}.`)} {code && <span className="id dim">{code}</span>}
    </>
  );
}
