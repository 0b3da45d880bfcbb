import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Controller, useForm } from "react-hook-form";
import { useChange } from "@/api/client";
import { isoDay, placeOf, startOfDay } from "@/lib/dates";
import {
  INHERITED,
  type SectionChoice,
  SectionsField,
  useSections,
  writeSections,
} from "@/pages/catalog/sections";
import { useCustomer, useEntities } from "@/pages/customers/reads";
import { MethodField } from "@/pages/payment-providers/method-field";
import { readPaid, writePaid } from "@/pages/payment-providers/methods";
import { usePaymentMethods } from "@/pages/payment-providers/reads";
import { DateInput, Field, Switch } from "@/ui/fields";
import { FormPage, FormSection, placeErrors } from "@/ui/form";
import { SelectField, SwitchField } from "@/ui/named";
import { useTitle } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { IssuingFields, NameField, type Particulars, writeIssuing } from "./particulars";
import { type Detailed, hrefOfSubscription, useSubscription } from "./reads";

export function UpdateSubscription() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { status } = useSearch({ strict: false }) as { status?: string };
  const subscription = useSubscription(id, status);
  useEntities();
  useSections();
  return (
    <Loaded query={subscription} what="Subscription">
      {({ subscription: found }) => <InItsZone saved={found} />}
    </Loaded>
  );
}

/** Days of the form are those of the customer. */
function InItsZone({ saved }: { saved: Detailed }) {
  const customer = useCustomer(saved.external_customer_id);
  usePaymentMethods(saved.external_customer_id);
  return (
    <Loaded query={customer} what="Customer">
      {({ customer: owner }) => <Editor saved={saved} zone={owner.applicable_timezone} />}
    </Loaded>
  );
}

/** What was chosen for the subscription; where nothing was, its customer's sections or none. */
function sectionsOf({ applied_invoice_custom_sections: chosen }: Detailed): SectionChoice {
  if (chosen.length === 0) return INHERITED;
  return { way: "own", codes: chosen.map((one) => one.invoice_custom_section.code) };
}

interface Values extends Particulars {
  ending_at: string;
  consolidate_invoice: boolean;
  on_termination_credit_note: string;
  on_termination_invoice: string;
  payment_method: string;
}

function Editor({ saved, zone }: { saved: Detailed; zone: string }) {
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>(null);
  const asSaved = sectionsOf(saved);
  const [sections, setSections] = useState(asSaved);
  const haveSectionsChanged = JSON.stringify(sections) !== JSON.stringify(asSaved);
  const form = useForm<Values>({
    mode: "onTouched",
    defaultValues: {
      name: saved.name ?? "",
      billing_entity_code: saved.billing_entity_code,
      ending_at: saved.ending_at ? isoDay(saved.ending_at, zone) : "",
      purchase_order_number: saved.purchase_order_number ?? "",
      consolidate_invoice: saved.consolidate_invoice,
      on_termination_credit_note: saved.on_termination_credit_note ?? "credit",
      on_termination_invoice: saved.on_termination_invoice,
      payment_method: readPaid(saved.payment_method),
    },
  });
  const { dirtyFields, errors, isDirty } = form.formState;
  useTitle(`Edit ${saved.name || saved.external_id}`);
  const back = hrefOfSubscription(saved);
  const save = useChange("put", "/api/v1/subscriptions/{external_id}", {
    done: "Subscription saved",
    isQuiet: true,
    onDone: () => {
      form.reset(form.getValues());
      void navigate({ to: back, ignoreBlocker: true });
    },
  });
  const submit = form.handleSubmit((values) => {
    setError(null);
    save.mutate(
      {
        params: { path: { external_id: saved.external_id }, query: { status: saved.status } },
        body: {
          subscription: {
            ...(dirtyFields.name && { name: values.name.trim() || null }),
            ...writeIssuing(values, dirtyFields),
            ...(dirtyFields.ending_at && {
              ending_at: values.ending_at ? startOfDay(values.ending_at, zone) : null,
            }),
            ...(dirtyFields.consolidate_invoice && { consolidate_invoice: values.consolidate_invoice }),
            ...(dirtyFields.on_termination_credit_note && {
              on_termination_credit_note: values.on_termination_credit_note,
            }),
            ...(dirtyFields.payment_method && { payment_method: writePaid(values.payment_method) }),
            ...(haveSectionsChanged && { invoice_custom_section: writeSections(sections) }),
            ...(dirtyFields.on_termination_invoice && {
              on_termination_invoice: values.on_termination_invoice,
            }),
          },
        },
      },
      { onError: (fault) => setError(placeErrors(form, fault)) },
    );
  });
  return (
    <FormPage
      title="Edit subscription"
      subject={<span className="tag">{saved.name || saved.external_id}</span>}
      submit="Save subscription"
      onSubmit={submit}
      onCancel={() => void navigate({ to: back })}
      isDirty={isDirty || (haveSectionsChanged && !save.isSuccess)}
      isBusy={save.isPending}
      error={error}
    >
      <FormSection title="Subscription">
        <NameField form={form} />
        <IssuingFields form={form} />
        <Field
          label="Ends"
          isOptional
          hint={`At 0:00 of this day in ${placeOf(zone)}.`}
          error={errors.ending_at?.message}
        >
          <DateInput {...form.register("ending_at")} />
        </Field>
        <SwitchField
          form={form}
          name="consolidate_invoice"
          label="On one invoice with the customer's other subscriptions"
        />
        <MethodField form={form} name="payment_method" customer={saved.external_customer_id} />
        <SectionsField choice={sections} onChange={setSections} />
      </FormSection>
      <FormSection title="When it ends">
        <Controller
          control={form.control}
          name="on_termination_invoice"
          render={({ field }) => (
            <Switch
              label="Bill a last invoice"
              isOn={field.value === "generate"}
              onChange={(isOn) => field.onChange(isOn ? "generate" : "skip")}
            />
          )}
        />
        {saved.plan.pay_in_advance && (
          <SelectField
            form={form}
            name="on_termination_credit_note"
            label="Give unused time back"
            options={[
              { value: "credit", label: "As a credit for later invoices" },
              { value: "refund", label: "As a refund" },
              { value: "offset", label: "Against what is unpaid" },
              { value: "skip", label: "Nothing" },
            ]}
          />
        )}
      </FormSection>
    </FormPage>
  );
}
