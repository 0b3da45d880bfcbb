/** How a billing entity invoices: currency and language, numbers, dates, and what its invoices say at their foot. */
import { Controller, useForm } from "react-hook-form";
import { useCan, useNow } from "@/app/session";
import { currencies, languages } from "@/lib/choices";
import { isoDay } from "@/lib/dates";
import { Section } from "@/ui/basics";
import { Field, NumberInput, TextArea, TextInput } from "@/ui/fields";
import { FieldRow, LeaveGuard, messageOf } from "@/ui/form";
import { PickerField, SelectField, SwitchField } from "@/ui/named";
import { Loaded } from "@/ui/states";
import { TermField } from "@/ui/term";
import { NEEDED, orNull } from "../editor";
import { NUMBERINGS, numberPreview } from "../numbering";
import { Refused, SaveRow } from "../organization";
import type { Entity, PartProps } from "./page";
import { useEntitySave } from "./save";

const ANCHORS = [
  { value: "next_period_start", label: "The first day of the next period" },
  { value: "current_period_end", label: "The last day of the period" },
] as const;

const ADJUSTMENTS = [
  { value: "align_with_finalization_date", label: "The day on which it becomes final" },
  { value: "keep_anchor", label: "That day, whenever it becomes final" },
] as const;

const WHOLE = { pattern: { value: /^\d+$/, message: "Whole days." } } as const;
const LONGEST_GRACE = 365;
const LONGEST_PREFIX = 10;
const LONGEST_FOOTER = 600;

export function Invoicing({ entity }: PartProps) {
  return (
    <Loaded query={entity} what="The billing entity">
      {({ billing_entity }) => <Terms entity={billing_entity} />}
    </Loaded>
  );
}

function Terms({ entity }: { entity: Entity }) {
  const isFixed = !useCan()("billing_entities:update");
  const today = isoDay(new Date(useNow()).toISOString(), entity.timezone);
  const form = useForm({
    values: {
      default_currency: entity.default_currency,
      document_locale: entity.document_locale,
      document_numbering: entity.document_numbering as string,
      document_number_prefix: entity.document_number_prefix,
      net_payment_term: String(entity.net_payment_term),
      invoice_grace_period: String(entity.invoice_grace_period),
      invoice_footer: entity.invoice_footer ?? "",
      finalize_zero_amount_invoice: entity.finalize_zero_amount_invoice,
      subscription_invoice_issuing_date_anchor: entity.subscription_invoice_issuing_date_anchor,
      subscription_invoice_issuing_date_adjustment: entity.subscription_invoice_issuing_date_adjustment,
    },
  });
  const { save, error, isBusy } = useEntitySave(entity, form, "Invoicing saved");
  const { errors, isDirty } = form.formState;
  const [prefix, numbering, footer] = form.watch([
    "document_number_prefix",
    "document_numbering",
    "invoice_footer",
  ]);
  return (
    <form
      className="settings-parts"
      onSubmit={form.handleSubmit((values) =>
        save({
          default_currency: values.default_currency,
          document_numbering: values.document_numbering,
          document_number_prefix: values.document_number_prefix,
          net_payment_term: Number(values.net_payment_term),
          finalize_zero_amount_invoice: values.finalize_zero_amount_invoice,
          billing_configuration: {
            document_locale: values.document_locale,
            invoice_grace_period: Number(values.invoice_grace_period),
            invoice_footer: orNull(values.invoice_footer),
            subscription_invoice_issuing_date_anchor: values.subscription_invoice_issuing_date_anchor,
            subscription_invoice_issuing_date_adjustment: values.subscription_invoice_issuing_date_adjustment,
          },
        }),
      )}
    >
      <LeaveGuard isDirty={isDirty && !isBusy} />
      <Section title="Currency and language">
        <div className="settings-form">
          <Refused error={error} />
          <FieldRow>
            <PickerField
              form={form}
              name="default_currency"
              label="Currency"
              choices={currencies()}
              isDisabled={isFixed}
            />
            <SelectField
              form={form}
              name="document_locale"
              label="Language of documents"
              options={languages()}
              isDisabled={isFixed}
            />
          </FieldRow>
        </div>
      </Section>
      <Section title="Numbers">
        <div className="settings-form">
          <FieldRow>
            <Field
              label="Prefix"
              hint={`Up to ${LONGEST_PREFIX} characters.`}
              error={messageOf(errors, "document_number_prefix")}
            >
              <TextInput
                maxLength={LONGEST_PREFIX}
                disabled={isFixed}
                {...form.register("document_number_prefix", NEEDED)}
              />
            </Field>
            <SelectField
              form={form}
              name="document_numbering"
              label="Numbering"
              options={NUMBERINGS}
              isDisabled={isFixed}
            />
          </FieldRow>
          <p className="well" aria-live="polite">
            <span className="dim">The first invoice has the number</span>{" "}
            <b className="med id">{numberPreview(prefix, numbering, today)}</b>
          </p>
        </div>
      </Section>
      <Section title="Dates">
        <div className="settings-form">
          <FieldRow>
            <Controller
              control={form.control}
              name="net_payment_term"
              rules={WHOLE}
              render={({ field }) => (
                <TermField
                  value={field.value}
                  onChange={field.onChange}
                  isDisabled={isFixed}
                  error={messageOf(errors, "net_payment_term")}
                />
              )}
            />
            <Field
              label="Grace period"
              hint="How long invoices stay drafts."
              error={messageOf(errors, "invoice_grace_period")}
            >
              <NumberInput
                after="days"
                inputMode="numeric"
                disabled={isFixed}
                {...form.register("invoice_grace_period", {
                  ...WHOLE,
                  validate: (days) => Number(days) <= LONGEST_GRACE || `${LONGEST_GRACE} days at most.`,
                })}
              />
            </Field>
          </FieldRow>
          <FieldRow>
            <SelectField
              form={form}
              name="subscription_invoice_issuing_date_anchor"
              label="Issuing date of a draft"
              options={ANCHORS}
              isDisabled={isFixed}
            />
            <SelectField
              form={form}
              name="subscription_invoice_issuing_date_adjustment"
              label="When it becomes final"
              options={ADJUSTMENTS}
              isDisabled={isFixed}
            />
          </FieldRow>
        </div>
      </Section>
      <Section title="Footer and empty invoices">
        <div className="settings-form">
          <Field
            label="Footer of invoices"
            isOptional
            hint={`${footer.length} of ${LONGEST_FOOTER} characters`}
            error={messageOf(errors, "invoice_footer")}
          >
            <TextArea maxLength={LONGEST_FOOTER} disabled={isFixed} {...form.register("invoice_footer")} />
          </Field>
          <SwitchField
            form={form}
            name="finalize_zero_amount_invoice"
            label="Issue invoices of zero"
            hint="Else a period in which nothing is due has none."
            isDisabled={isFixed}
          />
          <SaveRow isShown={!isFixed} isDirty={isDirty} isBusy={isBusy}>
            Save invoicing
          </SaveRow>
        </div>
      </Section>
    </form>
  );
}
