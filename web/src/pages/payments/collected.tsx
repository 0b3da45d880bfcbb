/** What a provider tells of a payment that it was asked for (ui §3.4). */
import { useQuery } from "@tanstack/react-query";
import { read } from "@/api/client";
import type { Payment } from "@/pages/invoices/related-columns";
import { providerName } from "@/pages/payment-providers/kinds";
import { expiryOf, methodName } from "@/pages/payment-providers/methods";
import { Copy, Facts, Section } from "@/ui/basics";
import { Loaded, Skeleton } from "@/ui/states";
import { actionWords, pageOf } from "./next-action";

export const collectionOf = (payment: string) =>
  read("/app/v1/payments/{lago_id}/collection", { params: { path: { lago_id: payment } } });

export function Collected({ payment }: { payment: Payment }) {
  const query = useQuery({ ...collectionOf(payment.lago_id), placeholderData: undefined });
  const kind = payment.payment_provider_type;
  const isWaiting = payment.payment_status === "pending" || payment.payment_status === "processing";
  const action = isWaiting ? actionWords(payment.next_action) : null;
  const page = action && pageOf(payment.next_action);
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
              ...(action
                ? [
                    [
                      "To be done",
                      <span key="action">
                        {action}
                        {page && (
                          <>
                            : <Copy text={page} what="link for the customer" />
                          </>
                        )}
                      </span>,
                    ] as [string, React.ReactNode],
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

/** In the provider's words, with the code that its documentation explains. */
export function Why({ code, message }: { code: string | null; message: string | null }) {
  return (
    <>
      {message} {code && <span className="id dim">{code}</span>}
    </>
  );
}
