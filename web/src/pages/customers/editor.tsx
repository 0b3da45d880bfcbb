import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { Controller, type UseFormReturn, useFieldArray, useForm } from "react-hook-form";
import { read, useChange, WHOLE } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countries, currencies, zones } from "@/lib/choices";
import { percent } from "@/lib/money";
import { useConnections } from "@/pages/payment-providers/reads";
import { Button } from "@/ui/basics";
import { Checkbox, ChipsInput, Field, Segments, Select, Switch, TextInput } from "@/ui/fields";
import { FieldRow, FormPage, FormSection, messageOf, placeErrors } from "@/ui/form";
import { AmongField, PickerField } from "@/ui/named";
import { useTitle } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { type Customer, nameOf } from "./customer";
import { type CustomerForm, NEW_CUSTOMER, readCustomer, writeCustomer } from "./form";
import { LinkSection } from "./link-section";
import { useCustomer, useEntities, useSubscriptionsOf, useWalletsOf } from "./reads";
import "./customers.css";

export function CreateCustomer() {
  return <Editor initial={NEW_CUSTOMER} />;
}

export function UpdateCustomer() {
  const { id } = useParams({ strict: false }) as { id: string };
  const customer = useCustomer(id);
  const isBilled = useIsBilled(id);
  useEntities();
  useTaxes();
  useConnections();
  return (
    <Loaded query={customer} what="Customer">
      {({ customer: saved }) => (
        <Editor
          initial={readCustomer(saved)}
          saved={saved}
          isCurrencyKept={isBilled && saved.currency !== null}
        />
      )}
    </Loaded>
  );
}

/** Whether the currency has been used: by a subscription, an invoice or a wallet, as far as the member may see them. */
function useIsBilled(id: string): boolean {
  const can = useCan();
  const counts = [
    useSubscriptionsOf(id).data?.meta.total_count,
    useWalletsOf(id).data?.meta.total_count,
    useQuery({
      ...read("/api/v1/customers/{external_customer_id}/invoices", {
        params: { path: { external_customer_id: id }, query: { per_page: "1" } },
      }),
      enabled: can("invoices:view"),
    }).data?.meta.total_count,
  ];
  return counts.some((count) => count !== undefined && count > 0);
}

function useTaxes() {
  return useQuery(read("/api/v1/taxes", { params: { query: WHOLE } }));
}

type Form = UseFormReturn<CustomerForm>;

/** Fields of the form that are called otherwise on the wire. */
const NAMES = {
  email: "emails",
  payment_provider_code: "payment_provider",
  sync_with_provider: "payment_provider",
} as const;

interface EditorProps {
  initial: CustomerForm;
  saved?: Customer;
  /** The currency stays: something is sold in it. */
  isCurrencyKept?: boolean;
}

function Editor({ initial, saved, isCurrencyKept = false }: EditorProps) {
  const form = useForm<CustomerForm>({ defaultValues: initial, mode: "onTouched" });
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>(null);
  useTitle(saved ? `Edit ${nameOf(saved)}` : "New customer");
  const save = useChange("post", "/api/v1/customers", {
    done: saved ? "Customer saved" : "Customer created",
    isQuiet: true,
    onDone: ({ customer }) => {
      form.reset(form.getValues());
      void navigate({ to: paths.customers.show(customer.external_id), ignoreBlocker: true });
    },
  });
  const submit = form.handleSubmit((values) => {
    setError(null);
    save.mutate(
      { body: { customer: writeCustomer(values, initial) } },
      { onError: (fault) => setError(placeErrors(form, fault, NAMES)) },
    );
  });
  const back = saved ? paths.customers.show(saved.external_id) : paths.customers.list();
  return (
    <FormPage
      title={saved ? "Edit customer" : "New customer"}
      subject={saved && <span className="tag">{nameOf(saved)}</span>}
      submit={saved ? "Save customer" : "Create customer"}
      onSubmit={submit}
      onCancel={() => void navigate({ to: back })}
      isDirty={form.formState.isDirty}
      isBusy={save.isPending}
      error={error}
      effect={saved && "Drafts follow; invoices that were issued stay as they are."}
    >
      <Identity form={form} saved={saved} />
      <Billing form={form} isCurrencyKept={isCurrencyKept} />
      <Addresses form={form} />
      <LinkSection form={form} saved={saved} />
      <Taxes form={form} />
      <Metadata form={form} />
    </FormPage>
  );
}

interface Part {
  form: Form;
  saved?: Customer | undefined;
}

function Identity({ form, saved }: Part) {
  const { errors } = form.formState;
  const entities = useEntities().data?.billing_entities ?? [];
  return (
    <FormSection title="Customer">
      <Controller
        control={form.control}
        name="account_type"
        render={({ field }) => (
          <Switch
            label="Partner"
            hint="Partners bill their own customers; what they owe them is billed in their name."
            isOn={field.value === "partner"}
            onChange={(isOn) => field.onChange(isOn ? "partner" : "customer")}
          />
        )}
      />
      <Field
        label="External ID"
        hint={
          saved
            ? "Subscriptions and your systems refer to it: it stays."
            : "What your systems call this customer."
        }
        error={errors.external_id?.message}
      >
        <TextInput
          autoFocus={!saved}
          disabled={saved !== undefined}
          {...form.register("external_id", { required: "An external ID is needed." })}
        />
      </Field>
      <Field label="Name" isOptional error={errors.name?.message}>
        <TextInput {...form.register("name")} />
      </Field>
      <FieldRow>
        <Field label="First name" isOptional error={errors.firstname?.message}>
          <TextInput {...form.register("firstname")} />
        </Field>
        <Field label="Last name" isOptional error={errors.lastname?.message}>
          <TextInput {...form.register("lastname")} />
        </Field>
      </FieldRow>
      <Controller
        control={form.control}
        name="customer_type"
        render={({ field }) => (
          <div className="field">
            <span className="label">Type</span>
            <Segments
              label="Type"
              value={field.value}
              options={[
                { value: "", label: "Not known" },
                { value: "company", label: "Company" },
                { value: "individual", label: "Individual" },
              ]}
              onChange={field.onChange}
            />
          </div>
        )}
      />
      <FieldRow>
        {entities.length > 1 && (
          <Controller
            control={form.control}
            name="billing_entity_code"
            render={({ field }) => (
              <Field label="Billed by" error={errors.billing_entity_code?.message}>
                <Select
                  value={field.value || (entities.find((one) => one.is_default)?.code ?? "")}
                  options={entities.map((one) => ({ value: one.code, label: one.name }))}
                  onChange={field.onChange}
                />
              </Field>
            )}
          />
        )}
        <PickerField
          form={form}
          name="timezone"
          label="Time zone"
          isOptional
          placeholder="The entity's"
          choices={[{ value: "", label: "The entity's" }, ...zones()]}
        />
      </FieldRow>
      <Field label="CRM ID" isOptional error={errors.external_salesforce_id?.message}>
        <TextInput {...form.register("external_salesforce_id")} />
      </Field>
    </FormSection>
  );
}

function Billing({ form, isCurrencyKept }: Pick<Part, "form"> & { isCurrencyKept: boolean }) {
  const { errors } = form.formState;
  return (
    <FormSection title="Billing">
      <PickerField
        form={form}
        name="currency"
        label="Currency"
        isOptional
        hint={
          isCurrencyKept
            ? "It stays: the customer has been sold something in it."
            : "Without one, what is sold first decides."
        }
        isDisabled={isCurrencyKept}
        choices={[{ value: "", label: "Of what is sold first" }, ...currencies()]}
      />
      <FieldRow>
        <Field label="Legal name" isOptional error={errors.legal_name?.message}>
          <TextInput {...form.register("legal_name")} />
        </Field>
        <Field label="Legal number" isOptional error={errors.legal_number?.message}>
          <TextInput {...form.register("legal_number")} />
        </Field>
      </FieldRow>
      <Field label="Tax number" isOptional error={errors.tax_identification_number?.message}>
        <TextInput {...form.register("tax_identification_number")} />
      </Field>
      <Controller
        control={form.control}
        name="emails"
        render={({ field }) => (
          <Field
            label="E-mail"
            isOptional
            hint="Invoices go to all of them."
            error={messageOf(errors, "emails")}
          >
            <ChipsInput values={field.value} onChange={field.onChange} placeholder="billing@example.com" />
          </Field>
        )}
      />
      <FieldRow>
        <Field label="Website" isOptional error={errors.url?.message}>
          <TextInput inputMode="url" {...form.register("url")} />
        </Field>
        <Field label="Phone" isOptional error={errors.phone?.message}>
          <TextInput inputMode="tel" {...form.register("phone")} />
        </Field>
      </FieldRow>
    </FormSection>
  );
}

function Addresses({ form }: Part) {
  const copy = () => {
    const { address_line1, address_line2, zipcode, city, state, country } = form.getValues();
    form.setValue(
      "shipping_address",
      { address_line1, address_line2, zipcode, city, state, country },
      { shouldDirty: true },
    );
  };
  return (
    <>
      <FormSection title="Billing address">
        <AddressFields form={form} prefix="" />
      </FormSection>
      <FormSection title="Shipping address">
        <div>
          <Button size="sm" onClick={copy}>
            Copy the billing address
          </Button>
        </div>
        <AddressFields form={form} prefix="shipping_address." />
      </FormSection>
    </>
  );
}

function AddressFields({ form, prefix }: Part & { prefix: "" | "shipping_address." }) {
  const { errors } = form.formState;
  const error = (name: string) => messageOf(errors, prefix + name);
  return (
    <>
      <Field label="Street" isOptional error={error("address_line1")}>
        <TextInput {...form.register(`${prefix}address_line1`)} />
      </Field>
      <Field label="Second line" isOptional error={error("address_line2")}>
        <TextInput {...form.register(`${prefix}address_line2`)} />
      </Field>
      <FieldRow>
        <Field label="Postal code" isOptional error={error("zipcode")}>
          <TextInput {...form.register(`${prefix}zipcode`)} />
        </Field>
        <Field label="City" isOptional error={error("city")}>
          <TextInput {...form.register(`${prefix}city`)} />
        </Field>
      </FieldRow>
      <FieldRow>
        <Field label="State" isOptional error={error("state")}>
          <TextInput {...form.register(`${prefix}state`)} />
        </Field>
        <PickerField
          form={form}
          name={`${prefix}country`}
          label="Country"
          isOptional
          called={prefix ? "Country of the shipping address" : "Country"}
          choices={[{ value: "", label: "None" }, ...countries()]}
        />
      </FieldRow>
    </>
  );
}

function Taxes({ form }: Part) {
  const taxes = useTaxes().data?.taxes ?? [];
  if (taxes.length === 0) return null;
  return (
    <FormSection title="Taxes" about="Without any, the entity's taxes apply.">
      {taxes.map((tax) => (
        <AmongField
          key={tax.code}
          form={form}
          name="tax_codes"
          value={tax.code}
          label={`${tax.name}, ${percent(tax.rate)}`}
        />
      ))}
    </FormSection>
  );
}

const MOST_METADATA = 5;

function Metadata({ form }: Part) {
  const { errors } = form.formState;
  const { fields, append, remove } = useFieldArray({
    control: form.control,
    name: "metadata",
    keyName: "_id",
  });
  return (
    <FormSection
      title="Metadata"
      about="Up to five notes of your own; those that are to be seen stand on invoices."
    >
      {messageOf(errors, "metadata") && <span className="err">{messageOf(errors, "metadata")}</span>}
      {fields.map((one, index) => (
        <div className="metadata-row" key={one._id}>
          <Field label="Key" error={messageOf(errors, `metadata.${index}.key`)}>
            <TextInput maxLength={20} {...form.register(`metadata.${index}.key`)} />
          </Field>
          <Field label="Value" error={messageOf(errors, `metadata.${index}.value`)}>
            <TextInput maxLength={100} {...form.register(`metadata.${index}.value`)} />
          </Field>
          <Controller
            control={form.control}
            name={`metadata.${index}.display_in_invoice`}
            render={({ field }) => (
              <Checkbox label="On invoices" isOn={field.value} onChange={field.onChange} />
            )}
          />
          <Button
            look="ghost"
            isIcon
            aria-label={`Remove metadata ${index + 1}`}
            onClick={() => remove(index)}
          >
            <Trash2 className="i" aria-hidden="true" />
          </Button>
        </div>
      ))}
      {fields.length < MOST_METADATA && (
        <div>
          <Button size="sm" onClick={() => append({ id: "", key: "", value: "", display_in_invoice: false })}>
            <Plus className="i" aria-hidden="true" />
            Add metadata
          </Button>
        </div>
      )}
    </FormSection>
  );
}
