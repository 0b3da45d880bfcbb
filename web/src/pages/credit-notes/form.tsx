import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { client, read, useChange } from "@/api/client";
import { ApiError, type Refusal } from "@/api/errors";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { money, toCents, toDecimal } from "@/lib/money";
import { useSettled } from "@/lib/settled";
import { nameOf } from "@/pages/customers/list";
import "@/pages/invoices/invoices.css";
import { areWhole, type KeyValueRow, KeyValueRows } from "@/pages/invoices/key-values";
import { groupFees, type Invoice, nameOfFee, TOUCHED } from "@/pages/invoices/model";
import type { CreditNote } from "@/pages/invoices/related-columns";
import { Facts } from "@/ui/basics";
import { Checkbox, Field, MoneyInput, Select, TextArea } from "@/ui/fields";
import { FieldRow, FormPage, FormSection } from "@/ui/form";
import { Loaded } from "@/ui/states";
import { isDivided, leftOf, maximaOf, type Parts, suggestParts } from "./allocation";
import { refusalsOf } from "./faults";
import { REASONS, type Reason } from "./reasons";

/** Give money back on an invoice. */
export function CreditNoteForm() {
  const { invoice: id } = useSearch({ strict: false }) as { invoice?: string };
  const can = useCan();
  const params = { path: { lago_id: id ?? "" } };
  const query = useQuery({ ...read("/api/v1/invoices/{lago_id}", { params }), placeholderData: undefined });
  // What could be given back of all of it, whether it is voided or a note is issued.
  const whole = useQuery({
    ...read("/app/v1/consequences/voids/{lago_id}", { params }),
    placeholderData: undefined,
    enabled: can("invoices:void"),
  });
  const number = query.data?.invoice.number;
  const notes = useQuery({
    ...read("/api/v1/credit_notes", {
      params: { query: { invoice_number: number, per_page: 100 } as never },
    }),
    enabled: number !== undefined,
  });
  return (
    <Loaded query={query} what="Invoice">
      {({ invoice }) => (
        <Loaded query={notes} what="Credit notes">
          {({ credit_notes }) => (
            <NoteForm
              key={invoice.lago_id}
              invoice={invoice}
              notes={credit_notes}
              refundable={whole.data?.consequences.refundable_amount_cents}
            />
          )}
        </Loaded>
      )}
    </Loaded>
  );
}

const PARTS: readonly { key: keyof Parts; label: string; about: string }[] = [
  { key: "offset", label: "Set off", about: "taken off what is still due of this invoice" },
  { key: "credit", label: "Credit", about: "pays later invoices by itself" },
  { key: "refund", label: "Refund", about: "paid back to the customer, by you" },
];

interface NoteFormProps {
  invoice: Invoice;
  notes: readonly CreditNote[];
  /** What of it can be paid back at the most, in minor units, where that is known. */
  refundable: number | undefined;
}

function NoteForm({ invoice, notes, refundable }: NoteFormProps) {
  const { currency } = invoice;
  const navigate = useNavigate();
  const maxima = maximaOf(invoice.fees, notes);
  const creditable = invoice.fees.filter((fee) => (maxima.get(fee.lago_id) ?? 0) > 0);
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [reason, setReason] = useState<Reason | "">("");
  const [description, setDescription] = useState("");
  const [metadata, setMetadata] = useState<KeyValueRow[]>([]);
  const [own, setOwn] = useState<Record<keyof Parts, string> | null>(null);
  const [error, setError] = useState<unknown>(null);

  const amounts = creditable.map((fee) => {
    const text = typed[fee.lago_id]?.trim() ?? "";
    const cents = text === "" ? 0 : toCents(text, currency);
    const most = maxima.get(fee.lago_id) ?? 0;
    const problem =
      cents === null || cents < 0
        ? `This is no amount of ${currency}.`
        : cents > most
          ? `At most ${money(most, currency)}.`
          : undefined;
    return { fee, cents: cents ?? 0, most, problem };
  });
  const items = amounts
    .filter((one) => one.cents > 0)
    .map((one) => ({ fee_id: one.fee.lago_id, amount_cents: one.cents }));
  const isReadable = amounts.every((one) => !one.problem);
  const asked = useSettled(isReadable ? JSON.stringify(items) : "[]");
  const estimate = useQuery({
    queryKey: ["estimated credit note", invoice.lago_id, asked],
    enabled: asked !== "[]",
    placeholderData: keepPreviousData,
    queryFn: async () => {
      const {
        data,
        error: refused,
        response,
      } = await client.POST("/api/v1/credit_notes/estimate", {
        body: { credit_note: { invoice_id: invoice.lago_id, items: JSON.parse(asked) } },
      });
      if (!data) throw new ApiError(response.status, refused as unknown as Refusal);
      return data.estimated_credit_note;
    },
  });
  const estimated = items.length > 0 ? estimate.data : undefined;
  const total = estimated
    ? estimated.sub_total_excluding_taxes_amount_cents + estimated.taxes_amount_cents
    : 0;
  const limits: Parts = {
    credit: estimated?.max_creditable_amount_cents ?? 0,
    refund: estimated?.max_refundable_amount_cents ?? 0,
    offset: estimated?.max_offsettable_amount_cents ?? 0,
  };
  const parts = own ? readParts(own, currency) : suggestParts(total, limits);
  const shown = own ?? {
    credit: toDecimal(parts.credit, currency),
    refund: toDecimal(parts.refund, currency),
    offset: toDecimal(parts.offset, currency),
  };
  const left = leftOf(total, parts);
  const isWhole =
    isDivided(total, parts, limits) && areWhole(metadata) && reason !== "" && !estimate.isFetching;
  const back = () => navigate({ to: paths.invoices.show(invoice.customer.external_id, invoice.lago_id) });
  const save = useChange("post", "/api/v1/credit_notes", {
    done: ({ credit_note }) => `Credit note ${credit_note.number} issued`,
    touches: TOUCHED,
    isQuiet: true,
    onDone: ({ credit_note }) =>
      void navigate({ to: paths.creditNotes.show(invoice.customer.external_id, credit_note.lago_id) }),
  });

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (!isWhole) {
      setError(
        new ApiError(422, { status: 422, code: incomplete(items.length, reason, left, areWhole(metadata)) }),
      );
      return;
    }
    setError(null);
    try {
      await save.mutateAsync({
        body: {
          credit_note: {
            invoice_id: invoice.lago_id,
            items,
            reason,
            ...(description.trim() && { description: description.trim() }),
            ...(metadata.length > 0 && {
              metadata: Object.fromEntries(metadata.map((row) => [row.key.trim(), row.value.trim()])),
            }),
            credit_amount_cents: parts.credit,
            refund_amount_cents: parts.refund,
            offset_amount_cents: parts.offset,
          },
        },
      });
    } catch (refused) {
      setError(refused);
    }
  }
  const refused = refusalsOf(error ?? estimate.error, items);

  const isDirty = Object.values(typed).some(Boolean) || reason !== "" || description !== "";
  const set = (id: string, text: string) => {
    setTyped({ ...typed, [id]: text });
    setOwn(null);
  };
  const isAll = creditable.length > 0 && amounts.every((one) => one.cents === one.most);
  return (
    <FormPage
      title="Issue credit note"
      subject={<span className="tag id">{invoice.number}</span>}
      submit="Issue credit note"
      onSubmit={(event) => void submit(event)}
      onCancel={() => void back()}
      isDirty={isDirty && !save.isSuccess}
      isBusy={save.isPending}
      error={refused.rest}
      effect={
        total > 0 ? `${money(total, currency)} for ${nameOf(invoice.customer)}` : "Nothing is chosen yet."
      }
      aside={<Estimate estimated={estimated} total={total} currency={currency} isOld={estimate.isFetching} />}
    >
      <FormSection title="Invoice">
        <Facts
          facts={[
            ["Customer", nameOf(invoice.customer)],
            ["Total", money(invoice.total_amount_cents, currency)],
            ["Paid", money(invoice.total_paid_amount_cents, currency)],
            ["Due", money(invoice.total_due_amount_cents, currency)],
            ["Refundable", refundable !== undefined && money(refundable, currency)],
            ["Credit notes", notes.length > 0 && notes.map((note) => note.number).join(", ")],
          ]}
        />
      </FormSection>
      <FormSection title="Items" about="Before tax and coupons; the estimate takes both into account.">
        {creditable.length === 0 ? (
          <p className="dim">Everything on this invoice was given back before.</p>
        ) : (
          <>
            <Checkbox
              label="All of it"
              isOn={isAll}
              onChange={(isOn) => {
                setOwn(null);
                setTyped(
                  isOn
                    ? Object.fromEntries(
                        amounts.map((one) => [one.fee.lago_id, toDecimal(one.most, currency)]),
                      )
                    : {},
                );
              }}
            />
            {groupFees({ ...invoice, fees: creditable }).map((group) => (
              <div className="credit-items" key={group.key}>
                {group.title && (
                  <div className="credit-group">
                    {group.title} {group.externalId && <span className="dim id">{group.externalId}</span>}
                  </div>
                )}
                {group.fees.map((fee) => {
                  const one = amounts.find((amount) => amount.fee.lago_id === fee.lago_id)!;
                  const problem = one.problem ?? refused.items.get(fee.lago_id);
                  return (
                    <div className="credit-item" key={fee.lago_id}>
                      <Checkbox
                        label={nameOfFee(fee)}
                        hint={problem ?? `up to ${money(one.most, currency)}`}
                        isOn={one.cents > 0}
                        onChange={(isOn) => set(fee.lago_id, isOn ? toDecimal(one.most, currency) : "")}
                      />
                      <MoneyInput
                        currency={currency}
                        aria-label={`Amount of ${nameOfFee(fee)}`}
                        aria-invalid={problem ? true : undefined}
                        placeholder={toDecimal(0, currency)}
                        value={typed[fee.lago_id] ?? ""}
                        onChange={(event) => set(fee.lago_id, event.target.value)}
                      />
                    </div>
                  );
                })}
              </div>
            ))}
          </>
        )}
      </FormSection>
      <FormSection title="Where it goes" about="The parts have to come to the total.">
        {PARTS.map(({ key, label, about }) => (
          <FieldRow key={key}>
            <Field
              label={label}
              hint={`${about}; at most ${money(Math.min(limits[key], total), currency)}`}
              error={
                parts[key] > limits[key]
                  ? `At most ${money(limits[key], currency)}.`
                  : refused.fields[`${key}_amount_cents`]
              }
            >
              <MoneyInput
                currency={currency}
                value={shown[key]}
                disabled={limits[key] === 0}
                onChange={(event) => setOwn({ ...shown, [key]: event.target.value })}
              />
            </Field>
          </FieldRow>
        ))}
        {left !== 0 && total > 0 && (
          <p className="err" role="status">
            {left > 0
              ? `${money(left, currency)} goes nowhere yet.`
              : `${money(-left, currency)} more than the total.`}
          </p>
        )}
      </FormSection>
      <FormSection title="Reason">
        <Field label="Reason" error={refused.fields.reason}>
          <Select value={reason} options={REASONS} onChange={setReason} />
        </Field>
        <Field
          label="Internal note"
          isOptional
          hint="Not on the document."
          error={refused.fields.description}
        >
          <TextArea value={description} onChange={(event) => setDescription(event.target.value)} />
        </Field>
      </FormSection>
      <FormSection title="Metadata" about="Keys and values of your own, as the API has them.">
        <KeyValueRows rows={metadata} most={50} longestKey={100} onChange={setMetadata} />
      </FormSection>
    </FormPage>
  );
}

function incomplete(count: number, reason: string, left: number, areNamed: boolean): string {
  if (count === 0) return "choose_what_to_give_back";
  if (left !== 0) return "the_parts_do_not_come_to_the_total";
  if (!areNamed) return "metadata_needs_keys_and_values";
  return reason === "" ? "choose_a_reason" : "the_estimate_is_not_there_yet";
}

/** What was typed, or zero where it is no amount: the sum then does not come to the total. */
function readParts(own: Record<keyof Parts, string>, currency: string): Parts {
  const read = (text: string) => (text.trim() === "" ? 0 : (toCents(text, currency) ?? 0));
  return { credit: read(own.credit), refund: read(own.refund), offset: read(own.offset) };
}

interface EstimateProps {
  estimated:
    | {
        coupons_adjustment_amount_cents: number;
        sub_total_excluding_taxes_amount_cents: number;
        taxes_amount_cents: number;
        applied_taxes: { tax_name: string; tax_code: string; amount_cents: number }[];
      }
    | undefined;
  total: number;
  currency: string;
  isOld: boolean;
}

function Estimate({ estimated, total, currency, isOld }: EstimateProps) {
  if (!estimated) return <p className="dim">Choose items to see what the credit note comes to.</p>;
  return (
    <div className={isOld ? "dim" : undefined} aria-busy={isOld}>
      <h3>Credit note</h3>
      <dl className="estimate">
        {estimated.coupons_adjustment_amount_cents > 0 && (
          <>
            <dt>Share of coupons</dt>
            <dd>−{money(estimated.coupons_adjustment_amount_cents, currency)}</dd>
          </>
        )}
        <dt>Subtotal</dt>
        <dd>{money(estimated.sub_total_excluding_taxes_amount_cents, currency)}</dd>
        {estimated.applied_taxes.map((tax) => (
          <TaxLine key={tax.tax_code} name={tax.tax_name} amount={money(tax.amount_cents, currency)} />
        ))}
        <dt className="t">Total</dt>
        <dd className="t">{money(total, currency)}</dd>
      </dl>
    </div>
  );
}

function TaxLine({ name, amount }: { name: string; amount: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{amount}</dd>
    </>
  );
}
