import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useForm } from "react-hook-form";
import type { Schema } from "@/api/client";
import { ApiError } from "@/api/errors";
import { countries } from "@/lib/choices";
import { Banner, Button } from "@/ui/basics";
import { Field, TextInput, useDescribed } from "@/ui/fields";
import { notify } from "@/ui/toasts";
import { portalQueries, take, usePortal } from "./api";

type Customer = Schema<"PortalCustomerOutput">;

const NAMES = ["name", "legal_name", "firstname", "lastname", "email", "tax_identification_number"] as const;
const ADDRESS = ["address_line1", "address_line2", "zipcode", "city", "state"] as const;

type Address = Record<(typeof ADDRESS)[number] | "country", string>;
type Values = Record<(typeof NAMES)[number], string> &
  Address & { customer_type: string; shipping_address: Address };

export function Details() {
  const { texts, token, client } = usePortal();
  const me = useQuery(portalQueries.me(token, client)).data!;
  const queries = useQueryClient();
  const form = useForm<Values>({ defaultValues: valuesOf(me.customer) });
  const { reset } = form;
  const save = useMutation({
    mutationFn: (values: Values) =>
      take(client.PUT("/portal/v1/me", { body: { customer: changesOf(values) } })),
    onSuccess: (answer) => {
      queries.setQueryData(portalQueries.me(token, client).queryKey, answer);
      notify.done(texts.saved);
    },
    onError: (error) => {
      if (!(error instanceof ApiError)) return;
      for (const field of Object.keys(error.fields))
        form.setError(field as "name", { message: texts.wrongField });
    },
  });
  useEffect(() => reset(valuesOf(me.customer)), [reset, me.customer]);

  const text = (name: (typeof NAMES)[number], type = "text") => (
    <Field label={texts.fields[name]} error={form.formState.errors[name]?.message}>
      <TextInput type={type} {...form.register(name)} />
    </Field>
  );
  const address = (prefix: "" | "shipping_address.") => {
    const wrong = prefix === "" ? form.formState.errors : form.formState.errors.shipping_address;
    return (
      <>
        {ADDRESS.map((name) => (
          <div key={name} className={name.startsWith("address") ? "wide" : undefined}>
            <Field label={texts.fields[name]} error={wrong?.[name]?.message}>
              <TextInput {...form.register(`${prefix}${name}` as "city")} />
            </Field>
          </div>
        ))}
        <Field label={texts.fields.country} error={wrong?.country?.message}>
          <CountrySelect {...form.register(`${prefix}country` as "country")} />
        </Field>
      </>
    );
  };
  return (
    <>
      <div className="hello">
        <h1>{texts.details}</h1>
      </div>
      <form
        className="p-card"
        style={{ marginTop: 26, maxWidth: 720 }}
        noValidate
        onSubmit={form.handleSubmit((values) => save.mutate(values))}
      >
        {save.error && (
          <Banner look="bad">
            <p>{texts.notSaved}</p>
          </Banner>
        )}
        <div className="fields">
          {text("name")}
          <Field label={texts.fields.customer_type}>
            <NativeSelect {...form.register("customer_type")}>
              <option value="">–</option>
              <option value="company">{texts.company}</option>
              <option value="individual">{texts.individual}</option>
            </NativeSelect>
          </Field>
          {text("firstname")}
          {text("lastname")}
          {text("legal_name")}
          {text("tax_identification_number")}
          <div className="wide">{text("email", "email")}</div>
          <h3>{texts.billingAddress}</h3>
          {address("")}
          <h3>{texts.shippingAddress}</h3>
          {address("shipping_address.")}
        </div>
        <div className="row" style={{ marginTop: 22, justifyContent: "flex-end" }}>
          <Button
            look="ghost"
            disabled={!form.formState.isDirty}
            onClick={() => reset(valuesOf(me.customer))}
          >
            {texts.cancel}
          </Button>
          <Button look="primary" type="submit" isBusy={save.isPending} disabled={!form.formState.isDirty}>
            {texts.save}
          </Button>
        </div>
      </form>
    </>
  );
}

function CountrySelect(props: React.ComponentProps<"select">) {
  return (
    <NativeSelect {...props}>
      <option value="">–</option>
      {countries().map((country) => (
        <option key={country.value} value={country.value}>
          {country.label}
        </option>
      ))}
    </NativeSelect>
  );
}

function NativeSelect(props: React.ComponentProps<"select">) {
  return (
    <span className="input">
      <select {...useDescribed()} {...props} />
    </span>
  );
}

function valuesOf(customer: Customer): Values {
  const of = (address: Partial<Record<keyof Address, string | null>>): Address => ({
    address_line1: address.address_line1 ?? "",
    address_line2: address.address_line2 ?? "",
    zipcode: address.zipcode ?? "",
    city: address.city ?? "",
    state: address.state ?? "",
    country: address.country ?? "",
  });
  const names = Object.fromEntries(NAMES.map((name) => [name, customer[name] ?? ""])) as Record<
    (typeof NAMES)[number],
    string
  >;
  return {
    ...names,
    ...of(customer),
    customer_type: customer.customer_type ?? "",
    shipping_address: of(customer.shipping_address),
  };
}

/** What was entered, as the API takes it: an empty text is none. */
function changesOf(values: Values) {
  const orNull = <Group extends Record<string, string>>(group: Group) =>
    Object.fromEntries(Object.entries(group).map(([name, text]) => [name, text.trim() || null])) as {
      [Name in keyof Group]: string | null;
    };
  const { shipping_address, ...own } = values;
  return { ...orNull(own), shipping_address: orNull(shipping_address) };
}
