import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { Controller, useForm } from "react-hook-form";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useOrganization } from "@/app/session";
import { currencies } from "@/lib/choices";
import { toCents, toDecimal } from "@/lib/money";
import { TaxChoice } from "@/pages/catalog/taxes";
import { Field, MoneyInput, TextInput } from "@/ui/fields";
import { FieldRow, FormPage, FormSection, placeErrors, useDerivedCode } from "@/ui/form";
import { DescriptionField, PickerField } from "@/ui/named";
import { useTitle } from "@/ui/page";
import { Loaded } from "@/ui/states";

type AddOn = Schema<"AddOnOutput">;

interface Values {
  name: string;
  code: string;
  invoice_display_name: string;
  description: string;
  amount: string;
  currency: string;
  tax_codes: string[];
}

const NEW: Values = {
  name: "",
  code: "",
  invoice_display_name: "",
  description: "",
  amount: "",
  currency: "EUR",
  tax_codes: [],
};

export function CreateAddOn() {
  const { default_currency: currency } = useOrganization();
  return <Editor initial={{ ...NEW, currency }} />;
}

export function UpdateAddOn() {
  const { id } = useParams({ strict: false }) as { id: string };
  const addOn = useQuery(read("/api/v1/add_ons/{code}", { params: { path: { code: id } } }));
  return (
    <Loaded query={addOn} what="Add-on">
      {({ add_on: saved }) => (
        <Editor
          saved={saved}
          initial={{
            name: saved.name,
            code: saved.code,
            invoice_display_name: saved.invoice_display_name ?? "",
            description: saved.description ?? "",
            amount: toDecimal(saved.amount_cents, saved.amount_currency),
            currency: saved.amount_currency,
            tax_codes: saved.taxes.map(({ code }) => code),
          }}
        />
      )}
    </Loaded>
  );
}

function Editor({ initial, saved }: { initial: Values; saved?: AddOn }) {
  const form = useForm<Values>({ defaultValues: initial, mode: "onTouched" });
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>(null);
  const { errors } = form.formState;
  const currency = form.watch("currency");
  useDerivedCode(form, !saved);
  useTitle(saved ? `Edit ${saved.name}` : "New add-on");
  const finish = {
    isQuiet: true,
    touches: ["/api/v1/add_ons"],
    onDone: (answer: { add_on: AddOn }) =>
      void navigate({ to: paths.addOns.show(answer.add_on.code), ignoreBlocker: true }),
  };
  const create = useChange("post", "/api/v1/add_ons", { ...finish, done: "Add-on created" });
  const update = useChange("put", "/api/v1/add_ons/{code}", { ...finish, done: "Add-on saved" });
  const refuse = {
    onError: (fault: Error) =>
      setError(placeErrors(form, fault, { amount_cents: "amount", amount_currency: "currency" })),
  };
  const submit = form.handleSubmit((values) => {
    setError(null);
    const body = {
      add_on: {
        name: values.name.trim(),
        code: values.code.trim(),
        invoice_display_name: values.invoice_display_name.trim() || null,
        description: values.description.trim() || null,
        amount_cents: toCents(values.amount, values.currency) ?? 0,
        amount_currency: values.currency,
        tax_codes: values.tax_codes,
      },
    };
    if (saved) update.mutate({ params: { path: { code: saved.code } }, body }, refuse);
    else create.mutate({ body }, refuse);
  });
  return (
    <FormPage
      title={saved ? "Edit add-on" : "New add-on"}
      subject={saved && <span className="tag">{saved.name}</span>}
      submit={saved ? "Save add-on" : "Create add-on"}
      onSubmit={submit}
      onCancel={() => void navigate({ to: saved ? paths.addOns.show(saved.code) : paths.addOns.list() })}
      isDirty={form.formState.isDirty}
      isBusy={create.isPending || update.isPending}
      error={error}
      effect={saved && "What is billed from now on has the new price; plans have prices of their own."}
    >
      <FormSection title="Add-on">
        <FieldRow>
          <Field label="Name" error={errors.name?.message}>
            <TextInput autoFocus {...form.register("name", { required: "A name is needed." })} />
          </Field>
          <Field label="Code" error={errors.code?.message}>
            <TextInput {...form.register("code", { required: "A code is needed." })} />
          </Field>
        </FieldRow>
        <FieldRow>
          <Field label="Price" error={errors.amount?.message}>
            <MoneyInput
              currency={currency}
              {...form.register("amount", {
                validate: (typed, values) =>
                  toCents(typed, values.currency) !== null || `An amount of ${values.currency} is needed.`,
              })}
            />
          </Field>
          <PickerField form={form} name="currency" label="Currency" choices={currencies()} />
        </FieldRow>
        <Field label="Name on invoices" isOptional error={errors.invoice_display_name?.message}>
          <TextInput {...form.register("invoice_display_name")} />
        </Field>
        <DescriptionField form={form} />
        <Controller
          control={form.control}
          name="tax_codes"
          render={({ field }) => (
            <TaxChoice
              chosen={field.value}
              onChange={field.onChange}
              hint="Without one, those of the customer."
            />
          )}
        />
      </FormSection>
    </FormPage>
  );
}
