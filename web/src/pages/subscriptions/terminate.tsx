import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { explain } from "@/api/errors";
import { Money } from "@/ui/amounts";
import { Banner, Facts } from "@/ui/basics";
import { Field, Select, Switch } from "@/ui/fields";
import { Confirm } from "@/ui/overlays";
import { Loaded, Skeleton } from "@/ui/states";

type Way = NonNullable<Schema<"OutcomeOutput">["on_termination_credit_note"]>;

const WAYS: Record<Way, string> = {
  credit: "As a credit for later invoices",
  refund: "As a refund",
  offset: "Against what is unpaid, the rest as a credit",
  skip: "Nothing",
};

interface Props {
  subscription: { external_id: string; status: string; name?: string | null; plan_code: string };
  onClose: () => void;
}

/** Ends a subscription: a pending one is called off, an active one is billed a last time, with what that comes to. */
export function EndSubscription({ subscription, onClose }: Props) {
  return subscription.status === "active" ? (
    <Terminate subscription={subscription} onClose={onClose} />
  ) : (
    <Cancel subscription={subscription} onClose={onClose} />
  );
}

function Cancel({ subscription, onClose }: Props) {
  const cancel = useChange("delete", "/api/v1/subscriptions/{external_id}", {
    done: "Subscription canceled",
    onDone: onClose,
  });
  return (
    <Confirm
      title={`Cancel the subscription “${subscription.name || subscription.external_id}”?`}
      verb="Cancel subscription"
      isOpen
      isBusy={cancel.isPending}
      onClose={onClose}
      onConfirm={() =>
        cancel.mutate({
          params: {
            path: { external_id: subscription.external_id },
            query: { status: subscription.status },
          },
        })
      }
    >
      <p>It has not started: nothing is billed for it.</p>
    </Confirm>
  );
}

function Terminate({ subscription, onClose }: Props) {
  const consequences = useQuery(
    read("/app/v1/consequences/terminations/{external_id}", {
      params: { path: { external_id: subscription.external_id } },
    }),
  );
  const known = consequences.data?.consequences;
  const [chosen, setChosen] = useState<Way | null>(null);
  const [bills, setBills] = useState<boolean | null>(null);
  const isBilled = bills ?? known?.on_termination_invoice !== "skip";
  const ways = known?.outcomes.flatMap((one) => one.on_termination_credit_note ?? []) ?? [];
  const way = chosen ?? known?.on_termination_credit_note ?? ways[0] ?? null;
  const outcome = known?.outcomes.find((one) => one.on_termination_credit_note === way) ?? known?.outcomes[0];
  const end = useChange("delete", "/api/v1/subscriptions/{external_id}", {
    done: "Subscription terminated",
    onDone: onClose,
  });
  return (
    <Confirm
      title={`Terminate the subscription “${subscription.name || subscription.external_id}” now?`}
      verb="Terminate subscription"
      isOpen
      isBusy={end.isPending}
      onClose={onClose}
      onConfirm={() =>
        end.mutate({
          params: {
            path: { external_id: subscription.external_id },
            query: {
              on_termination_invoice: isBilled ? "generate" : "skip",
              ...(ways.length > 0 && way && { on_termination_credit_note: way }),
            },
          },
        })
      }
    >
      <Loaded query={consequences} what="Consequences" skeleton={<Skeleton width="80%" />}>
        {({ consequences: { canceled_plan_code, waiting_invoice } }) => (
          <>
            {canceled_plan_code && (
              <p>
                The change to <b>{canceled_plan_code}</b> at the end of the period is called off.
              </p>
            )}
            <Switch
              label="Bill a last invoice"
              hint={
                waiting_invoice
                  ? "What was used since the last one. Without it, that is never billed; what corrected events of earlier periods cost more is billed all the same."
                  : "What was used since the last one. Without it, that is never billed."
              }
              isOn={isBilled}
              onChange={setBills}
            />
            {ways.length > 0 && way && (
              <Field label="Give the unused time back">
                <Select
                  value={way}
                  options={ways.map((one) => ({ value: one, label: WAYS[one] }))}
                  onChange={setChosen}
                />
              </Field>
            )}
            {outcome && <Outcome outcome={outcome} waiting={waiting_invoice} isBilled={isBilled} />}
          </>
        )}
      </Loaded>
      {end.error && <Banner look="bad">{explain(end.error)}</Banner>}
    </Confirm>
  );
}

interface OutcomeProps {
  outcome: Schema<"OutcomeOutput">;
  /** What corrected events of billed periods cost more: without a last invoice it gets one of its own. */
  waiting: Schema<"WaitingInvoiceOutput"> | null;
  isBilled: boolean;
}

function Outcome({ outcome, waiting, isBilled }: OutcomeProps) {
  const { invoice, credit_notes } = outcome;
  const lost = invoice.fees_amount_cents - (waiting?.fees_amount_cents ?? 0);
  // A note of usage that was billed too much comes of the last invoice; without it there is none.
  const notes = credit_notes.filter((note) => isBilled || note.reason === "order_cancellation");
  return (
    <div className="well">
      <Facts
        facts={[
          ...(isBilled
            ? ([
                [
                  "Last invoice",
                  <Money
                    key="total"
                    cents={invoice.total_amount_cents}
                    currency={invoice.currency}
                    isZeroPlain
                  />,
                ],
                [
                  "of it usage and fees",
                  <Money key="fees" cents={invoice.fees_amount_cents} currency={invoice.currency} />,
                ],
                ["tax", <Money key="tax" cents={invoice.taxes_amount_cents} currency={invoice.currency} />],
                [
                  "paid by credits",
                  <Money
                    key="credits"
                    cents={invoice.prepaid_credit_amount_cents + invoice.credit_notes_amount_cents}
                    currency={invoice.currency}
                  />,
                ],
              ] satisfies [string, React.ReactNode][])
            : ([
                ["Not billed", <Money key="lost" cents={lost} currency={invoice.currency} />],
                ...(waiting
                  ? [
                      [
                        "Invoice of corrected usage",
                        <Money
                          key="waiting"
                          cents={waiting.total_amount_cents}
                          currency={waiting.currency}
                        />,
                      ] as [string, React.ReactNode],
                      [
                        "of it tax",
                        <Money
                          key="waiting tax"
                          cents={waiting.taxes_amount_cents}
                          currency={waiting.currency}
                        />,
                      ] as [string, React.ReactNode],
                    ]
                  : []),
              ] satisfies [string, React.ReactNode][])),
          ...notes.map((note): [string, React.ReactNode] => [
            "Credit note",
            <Money key={note.reason} cents={note.total_amount_cents} currency={note.currency} />,
          ]),
        ]}
      />
    </div>
  );
}
