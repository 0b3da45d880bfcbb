import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { money, toCents, toDecimal } from "@/lib/money";
import { nameOf } from "@/pages/customers/list";
import { Field, MoneyInput, Segments, Switch } from "@/ui/fields";
import { FieldRow, FormPage, FormSection } from "@/ui/form";
import { Loaded } from "@/ui/states";
import "./invoices.css";
import { type Invoice, TOUCHED } from "./model";

type Consequences = Schema<"VoidOutput">;

/** Cancel an issued invoice: what comes back is told before. */
export function VoidInvoice() {
  const { id } = useParams({ strict: false }) as { id: string };
  const params = { path: { lago_id: id } };
  const invoice = useQuery({ ...read("/api/v1/invoices/{lago_id}", { params }), placeholderData: undefined });
  const told = useQuery({
    ...read("/app/v1/consequences/voids/{lago_id}", { params }),
    placeholderData: undefined,
  });
  return (
    <Loaded query={invoice} what="Invoice">
      {({ invoice: found }) => (
        <Loaded query={told} what="What voiding releases">
          {({ consequences }) => <VoidForm invoice={found} told={consequences} />}
        </Loaded>
      )}
    </Loaded>
  );
}

const KINDS: Record<string, string> = {
  coupon: "Coupon",
  credit_note: "Credit note",
  wallet: "Wallet",
};

type Way = "release" | "note";

function VoidForm({ invoice, told }: { invoice: Invoice; told: Consequences }) {
  const navigate = useNavigate();
  const { currency } = invoice;
  const [way, setWay] = useState<Way>("release");
  const [isRegenerated, setRegenerated] = useState(false);
  const [credit, setCredit] = useState("");
  const [refund, setRefund] = useState("");
  const amountOf = (text: string) => (text.trim() === "" ? 0 : toCents(text, currency));
  const creditCents = amountOf(credit);
  const refundCents = amountOf(refund);
  const problem = (cents: number | null, most: number) =>
    cents === null || cents < 0
      ? `This is no amount of ${currency}.`
      : cents > most
        ? `At most ${money(most, currency)}.`
        : undefined;
  const problems = {
    credit: problem(creditCents, told.creditable_amount_cents),
    refund: problem(refundCents, told.refundable_amount_cents),
  };
  const back = () => navigate({ to: paths.invoices.show(invoice.customer.external_id, invoice.lago_id) });
  const save = useChange("post", "/api/v1/invoices/{lago_id}/void", {
    done: `Invoice ${invoice.number} voided`,
    touches: TOUCHED,
    isQuiet: true,
    onDone: () =>
      isRegenerated ? void navigate({ to: paths.invoices.regenerate(invoice.lago_id) }) : void back(),
  });
  const isByNote = way === "note";
  const isWrong =
    isByNote &&
    (Boolean(problems.credit ?? problems.refund) || (creditCents ?? 0) + (refundCents ?? 0) === 0);
  function submit(event: FormEvent): void {
    event.preventDefault();
    if (isWrong) return;
    save.mutate({
      params: { path: { lago_id: invoice.lago_id } },
      body: isByNote
        ? { generate_credit_note: true, credit_amount: creditCents ?? 0, refund_amount: refundCents ?? 0 }
        : {},
    });
  }
  const released = told.releases.filter((one) => one.is_given_back);
  return (
    <FormPage
      title="Void invoice"
      subject={<span className="tag id">{invoice.number}</span>}
      submit={isRegenerated ? "Void and regenerate" : "Void invoice"}
      onSubmit={submit}
      onCancel={() => void back()}
      isDirty={(credit !== "" || refund !== "") && !save.isSuccess}
      isBusy={save.isPending}
      error={save.error}
      effect={`${invoice.number} of ${nameOf(invoice.customer)} asks for nothing any more. This can’t be undone.`}
    >
      <FormSection
        title="What happens"
        about={`${money(told.total_due_amount_cents, currency)} of ${money(told.total_amount_cents, currency)} is still due, and is not asked for any more.`}
      >
        <div>
          <Segments
            label="What is given back"
            value={way}
            options={[
              { value: "release", label: "Release what it took" },
              ...(told.creditable_amount_cents + told.refundable_amount_cents > 0
                ? [{ value: "note" as const, label: "Give back by credit note" }]
                : []),
            ]}
            onChange={setWay}
          />
        </div>
        {isByNote ? (
          <>
            <p className="ink2">
              The customer gets what you enter here, by a credit note. Wallets and credit notes keep what this
              invoice took of them.
            </p>
            <FieldRow>
              <Field
                label="As credit"
                error={problems.credit}
                hint={`at most ${money(told.creditable_amount_cents, currency)}`}
              >
                <MoneyInput
                  currency={currency}
                  placeholder={toDecimal(0, currency)}
                  value={credit}
                  onChange={(event) => setCredit(event.target.value)}
                />
              </Field>
              <Field
                label="As refund"
                error={problems.refund}
                hint={`at most ${money(told.refundable_amount_cents, currency)}`}
              >
                <MoneyInput
                  currency={currency}
                  placeholder={toDecimal(0, currency)}
                  value={refund}
                  onChange={(event) => setRefund(event.target.value)}
                />
              </Field>
            </FieldRow>
          </>
        ) : released.length === 0 ? (
          <p className="ink2">
            It took nothing of coupons, credit notes or wallets: nothing has to be given back.
          </p>
        ) : (
          <div className="credit-items">
            {told.releases.map((one) => (
              <div className="credit-item" key={`${one.kind}${one.lago_id}`}>
                <span>
                  <span className="med">
                    {KINDS[one.kind] ?? one.kind} {one.name ?? one.code}
                  </span>
                  <span className="hint"> {one.is_given_back ? "gets back" : "does not get back"}</span>
                </span>
                <span className="right num">{money(one.amount_cents, currency)}</span>
              </div>
            ))}
          </div>
        )}
        {told.total_paid_amount_cents > 0 && (
          <p className="ink2">
            {money(told.total_paid_amount_cents, currency)} was paid for it. That stays recorded; give it back
            by a credit note, or outside of Tallymark.
          </p>
        )}
      </FormSection>
      {told.is_regenerable && (
        <FormSection title="Afterwards">
          <Switch
            label="Regenerate it"
            hint={
              invoice.invoice_type === "credit"
                ? "Opens the same credits to be corrected and sold anew."
                : "Opens the same lines to be corrected and issued anew."
            }
            isOn={isRegenerated}
            onChange={setRegenerated}
          />
        </FormSection>
      )}
    </FormPage>
  );
}
