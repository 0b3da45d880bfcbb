import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { read, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { money, units } from "@/lib/money";
import { nameOf } from "@/pages/customers/list";
import { Checkbox, Field, MoneyInput, NumberInput, TextInput } from "@/ui/fields";
import { FieldRow, FormPage, FormSection } from "@/ui/form";
import { Loaded } from "@/ui/states";
import { amountOf, decimalOf } from "./amounts";
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
  const subtotal = kept.reduce((sum, fee) => sum + centsOf(fee, edits[fee.lago_id], currency), 0n);
  function submit(event: FormEvent): void {
    event.preventDefault();
    if (isWrong || kept.length === 0) return;
    save.mutate({
      params: { path: { lago_id: invoice.lago_id } },
      body: {
        invoice: {
          fees: kept.map((fee) => {
            const { units: count = "", price = "", name = "" } = edits[fee.lago_id] ?? {};
            return {
              id: fee.lago_id,
              ...(decimalOf(count) !== null && { units: decimalOf(count) }),
              ...(decimalOf(price) !== null && { unit_precise_amount: decimalOf(price) }),
              ...(name.trim() && { invoice_display_name: name.trim() }),
            };
          }),
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
      effect={`${kept.length} of ${invoice.fees.length} lines, ${money(subtotal, currency)} before tax, in place of ${invoice.number}.`}
    >
      {groupFees(invoice).map((group) => (
        <FormSection
          key={group.key}
          title={group.title ?? "Lines"}
          about={`What ${nameOf(invoice.customer)} is billed. Fields that are left empty keep what they were.`}
        >
          {group.fees.map((fee) => {
            const edited = edits[fee.lago_id];
            const problems = problemsOf(edited);
            const place = kept.indexOf(fee);
            return (
              <div className="item-card" key={fee.lago_id}>
                <div className="row between">
                  <Checkbox
                    label={nameOfFee(fee)}
                    hint={aboutFee(fee, invoice.customer.applicable_timezone)}
                    isOn={!edited?.isLeft}
                    onChange={(isOn) => edit(fee, { isLeft: !isOn })}
                  />
                  <span className={edited?.isLeft ? "num dim" : "num med"}>
                    {money(edited?.isLeft ? 0 : centsOf(fee, edited, currency), currency)}
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
                      label="Units"
                      isOptional
                      error={problems.units ?? refused.faults[`${place}.units`]}
                    >
                      <NumberInput
                        placeholder={units(fee.units)}
                        value={edited?.units ?? ""}
                        onChange={(event) => edit(fee, { units: event.target.value })}
                      />
                    </Field>
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

/** What a line comes to as it is edited; units alone are priced by the server, where they are shown as they were. */
function centsOf(fee: Fee, edited: Edited | undefined, currency: string): bigint {
  const price = decimalOf(edited?.price ?? "");
  const count = decimalOf(edited?.units ?? "");
  if (price === null) return BigInt(fee.amount_cents);
  return amountOf(count ?? fee.units, price, currency);
}
