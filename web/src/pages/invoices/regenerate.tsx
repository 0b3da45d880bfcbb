import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import { type FormEvent, Fragment, useState } from "react";
import { ask, read, type Schema, useChange } from "@/api/client";
import { explainRead } from "@/api/errors";
import { paths } from "@/app/paths";
import { money, price, units } from "@/lib/money";
import { useSettled } from "@/lib/settled";
import { nameOf } from "@/pages/customers/list";
import { Money } from "@/ui/amounts";
import { Banner } from "@/ui/basics";
import { Checkbox, Field, MoneyInput, NumberInput, TextInput } from "@/ui/fields";
import { FieldRow, FormPage, FormSection } from "@/ui/form";
import { Loaded } from "@/ui/states";
import { decimalOf } from "./amounts";
import "./invoices.css";
import { faultsOf } from "./faults";
import { aboutFee, type Fee, groupFees, type Invoice, nameOfFee, TOUCHED } from "./model";

/** Issue an invoice in place of a void one, of the same lines, corrected. */
export function RegenerateInvoice() {
  const { id } = useParams({ strict: false }) as { id: string };
  const query = useQuery({
    ...read("/api/v1/invoices/{lago_id}", { params: { path: { lago_id: id } } }),
    placeholderData: undefined,
  });
  return (
    <Loaded query={query} what="Invoice">
      {({ invoice }) => <RegenerateForm invoice={invoice} />}
    </Loaded>
  );
}

interface Edited {
  isLeft?: boolean;
  units?: string;
  price?: string;
  name?: string;
}

function RegenerateForm({ invoice }: { invoice: Invoice }) {
  const navigate = useNavigate();
  const { currency } = invoice;
  const [edits, setEdits] = useState<Record<string, Edited>>({});
  const edit = (fee: Fee, change: Edited) =>
    setEdits({ ...edits, [fee.lago_id]: { ...edits[fee.lago_id], ...change } });
  const back = () => navigate({ to: paths.invoices.show(invoice.customer.external_id, invoice.lago_id) });
  const save = useChange("post", "/api/v1/invoices/{lago_id}/regenerate", {
    done: ({ invoice: made }) => `Invoice ${made.number} issued in its place`,
    touches: TOUCHED,
    isQuiet: true,
    onDone: ({ invoice: made }) =>
      void navigate({ to: paths.invoices.show(invoice.customer.external_id, made.lago_id) }),
  });
  const kept = invoice.fees.filter((fee) => !edits[fee.lago_id]?.isLeft);
  const refused = faultsOf(save.error);
  const isWrong = kept.some((fee) => Object.keys(problemsOf(edits[fee.lago_id])).length > 0);
  const fees = kept.map((fee) => keptFee(fee, edits[fee.lago_id]));
  const isCredits = invoice.invoice_type === "credit";
  const preview = usePreview(invoice.lago_id, isWrong ? null : fees, !save.isPending && !save.isSuccess);
  const foreseen = preview.data?.regeneration_preview;
  const unforeseen = faultsOf(preview.error);
  function submit(event: FormEvent): void {
    event.preventDefault();
    if (isWrong || kept.length === 0) return;
    save.mutate({
      params: { path: { lago_id: invoice.lago_id } },
      body: {
        invoice: {
          fees,
        },
      },
    });
  }
  return (
    <FormPage
      title="Regenerate invoice"
      subject={<span className="tag id">{invoice.number}</span>}
      submit="Issue invoice"
      onSubmit={submit}
      onCancel={() => void back()}
      isDirty={Object.keys(edits).length > 0 && !save.isSuccess}
      isBusy={save.isPending}
      error={refused.rest}
      effect={
        isCredits
          ? `In place of ${invoice.number}. The credits count once it is paid.`
          : `${kept.length} of ${invoice.fees.length} lines, in place of ${invoice.number}.`
      }
      aside={
        <Foreseen
          found={kept.length > 0 ? foreseen : undefined}
          error={unforeseen.rest}
          isOld={preview.isFetching}
          lack={`${isCredits ? "Enter credits that can be sold" : "Keep a line"} to see what the invoice comes to.`}
        />
      }
    >
      {foreseen?.credits && <Whereabouts invoice={invoice} credits={foreseen.credits} />}
      {groupFees(invoice).map((group) => (
        <FormSection
          key={group.key}
          title={group.title ?? (isCredits ? "Credits" : "Lines")}
          about={`What ${nameOf(invoice.customer)} is billed. Fields that are left empty keep what they were.`}
        >
          {group.fees.map((fee) => {
            const edited = edits[fee.lago_id];
            const problems = problemsOf(edited);
            const place = kept.indexOf(fee);
            return (
              <div className="item-card" key={fee.lago_id}>
                <div className="row between">
                  {isCredits ? (
                    <span className="med">{nameOfFee(fee)}</span>
                  ) : (
                    <Checkbox
                      label={nameOfFee(fee)}
                      hint={aboutFee(fee, invoice.customer.applicable_timezone)}
                      isOn={!edited?.isLeft}
                      onChange={(isOn) => edit(fee, { isLeft: !isOn })}
                    />
                  )}
                  <span className={edited?.isLeft ? "num dim" : "num med"}>
                    {edited?.isLeft ? (
                      money(0, currency)
                    ) : (
                      <Money
                        cents={foreseen?.fees.find((one) => one.lago_id === fee.lago_id)?.amount_cents}
                        currency={currency}
                      />
                    )}
                  </span>
                </div>
                {!edited?.isLeft && (
                  <FieldRow>
                    <Field label="Name" isOptional error={refused.faults[`${place}.name`]}>
                      <TextInput
                        placeholder={nameOfFee(fee)}
                        value={edited?.name ?? ""}
                        onChange={(event) => edit(fee, { name: event.target.value })}
                      />
                    </Field>
                    <Field
                      label={isCredits ? "Credits" : "Units"}
                      isOptional
                      error={
                        problems.units ??
                        refused.faults[`${place}.units`] ??
                        unforeseen.faults[`${place}.units`]
                      }
                    >
                      <NumberInput
                        placeholder={units(fee.units)}
                        value={edited?.units ?? ""}
                        onChange={(event) => edit(fee, { units: event.target.value })}
                      />
                    </Field>
                    {!isCredits && (
                      <Field
                        label="Unit price"
                        isOptional
                        error={problems.price ?? refused.faults[`${place}.price`]}
                      >
                        <MoneyInput
                          currency={currency}
                          placeholder="as it was"
                          value={edited?.price ?? ""}
                          onChange={(event) => edit(fee, { price: event.target.value })}
                        />
                      </Field>
                    )}
                  </FieldRow>
                )}
              </div>
            );
          })}
        </FormSection>
      ))}
    </FormPage>
  );
}

function problemsOf(edited: Edited | undefined): { units?: string; price?: string } {
  const { units: count = "", price = "" } = edited ?? {};
  return {
    ...(count.trim() && decimalOf(count) === null && { units: "This is no number." }),
    ...(price.trim() && decimalOf(price) === null && { price: "This is no amount." }),
  };
}

/** A line as it comes again: what was left empty is as it was. */
function keptFee(fee: Fee, edited: Edited | undefined) {
  const { units: count = "", price = "", name = "" } = edited ?? {};
  return {
    id: fee.lago_id,
    ...(decimalOf(count) !== null && { units: decimalOf(count) }),
    ...(decimalOf(price) !== null && { unit_precise_amount: decimalOf(price) }),
    ...(name.trim() && { invoice_display_name: name.trim() }),
  };
}

/** What the server makes of the lines; while some can't be read, what it made of them before. */
function usePreview(id: string, fees: readonly ReturnType<typeof keptFee>[] | null, isOpen: boolean) {
  const body = useSettled(fees && JSON.stringify({ invoice: { fees } }));
  return useQuery({
    ...ask("/app/v1/invoices/{lago_id}/regenerate/preview", {
      params: { path: { lago_id: id } },
      body: JSON.parse(body ?? "null"),
    }),
    enabled: isOpen && body !== null && fees !== null && fees.length > 0,
  });
}

type ForeseenCredits = NonNullable<Schema<"RegenerationPreviewOutput">["credits"]>;

/** What somebody should know who sells credits once more: where they go, and that what was paid for stays. */
function Whereabouts({ invoice, credits }: { invoice: Invoice; credits: ForeseenCredits }) {
  const wallet = credits.wallet_name || credits.wallet_code;
  const settled = credits.settled_amount_cents;
  return (
    <>
      {settled > 0 && (
        <Banner look="warn" icon={<TriangleAlert className="i" aria-hidden="true" />}>
          {money(settled, invoice.currency)} was paid for {invoice.number}, and its credits stay in their
          wallet. This invoice asks for more money, for more credits.
        </Banner>
      )}
      {credits.is_moved && (
        <Banner>
          The wallet that {invoice.number} was for has ended: these credits go into {wallet}, at its rate.
        </Banner>
      )}
    </>
  );
}

interface ForeseenProps {
  found: Schema<"RegenerationPreviewOutput"> | undefined;
  error: unknown;
  isOld: boolean;
  /** What to do where there is none. */
  lack: string;
}

/** The invoice to be, with the taxes and coupons of today. */
function Foreseen({ found, error, isOld, lack }: ForeseenProps) {
  if (error) return <p className="dim">{explainRead(error)}</p>;
  if (!found) return <p className="dim">{lack}</p>;
  if (found.credits) return <ForeseenPurchase found={found} credits={found.credits} isOld={isOld} />;
  const rows: [name: string, cents: number][] = [
    ["Fees", found.fees_amount_cents],
    ["Billed progressively", -found.progressive_billing_credit_amount_cents],
    ["Coupons", -found.coupons_amount_cents],
    ["Tax", found.taxes_amount_cents],
  ];
  return (
    <>
      <h2>Invoice</h2>
      <dl className="estimate" aria-busy={isOld}>
        {rows
          .filter(([name, cents]) => name === "Fees" || name === "Tax" || cents !== 0)
          .map(([name, cents]) => (
            <Fragment key={name}>
              <dt>{name}</dt>
              <dd>{money(cents, found.currency)}</dd>
            </Fragment>
          ))}
        <dt className="t">Total</dt>
        <dd className="t">{money(found.sub_total_including_taxes_amount_cents, found.currency)}</dd>
      </dl>
      <p className="hint">
        Before credit notes and prepaid credits, as far as they pay of it once it is issued.
      </p>
    </>
  );
}

interface ForeseenPurchaseProps {
  found: Schema<"RegenerationPreviewOutput">;
  credits: ForeseenCredits;
  isOld: boolean;
}

/** An invoice of credits to be: without tax, and nothing pays of it beforehand. */
function ForeseenPurchase({ found, credits, isOld }: ForeseenPurchaseProps) {
  return (
    <>
      <h2>Invoice</h2>
      <dl className="estimate" aria-busy={isOld}>
        <dt>Wallet</dt>
        <dd>{credits.wallet_name || credits.wallet_code}</dd>
        <dt>Credits</dt>
        <dd>{units(credits.credit_amount)}</dd>
        <dt>Each</dt>
        <dd>{price(credits.rate_amount, found.currency)}</dd>
        <dt className="t">Total</dt>
        <dd className="t">{money(found.sub_total_including_taxes_amount_cents, found.currency)}</dd>
      </dl>
      <p className="hint">No tax is on prepaid credits: it comes with what they pay for.</p>
    </>
  );
}
