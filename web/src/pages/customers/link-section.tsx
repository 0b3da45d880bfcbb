/** By which payment provider a customer pays, and how they are linked to it (ui §3.1). */
import { type UseFormReturn, useController } from "react-hook-form";
import { providerName } from "@/pages/payment-providers/kinds";
import { STRIPE_METHODS, togetherAtStripe } from "@/pages/payment-providers/methods";
import { useConnections } from "@/pages/payment-providers/reads";
import { Banner } from "@/ui/basics";
import { Field, Segments, Select, TextInput, Toggles } from "@/ui/fields";
import { FormSection, messageOf } from "@/ui/form";
import type { Customer } from "./customer";
import type { CustomerForm } from "./form";
import { connectionKey, kindOf, type LinkForm, moveLink, NONE, readLink, UNLINKED } from "./link";

interface Props {
  form: UseFormReturn<CustomerForm>;
  saved?: Customer | undefined;
}

export function LinkSection({ form, saved }: Props) {
  const connections = useConnections().data?.payment_providers ?? [];
  const { field, fieldState } = useController({ control: form.control, name: "payment_provider" });
  const chosen = field.value;
  const kind = kindOf(chosen);
  const connection = connections.find((one) => connectionKey(one) === chosen);
  const linked = saved ? readLink(saved.billing_configuration) : UNLINKED;
  const before = linked.payment_provider;
  const move = (account: string) => {
    const { links_by, provider_customer_id } = moveLink(form.getValues(), account, linked);
    field.onChange(account);
    form.setValue("links_by", links_by);
    form.setValue("provider_customer_id", provider_customer_id);
  };
  const isKnown = chosen === NONE || connection !== undefined;
  if (connections.length === 0 && chosen === NONE) return null;
  return (
    <FormSection title="Payment provider" about="Who collects the customer’s invoices.">
      <Field label="Account" error={fieldState.error?.message}>
        <Select
          value={chosen}
          options={[
            { value: NONE, label: "None: payments are recorded by hand" },
            ...connections.map((one) => ({
              value: connectionKey(one),
              label: one.name,
              detail: `${providerName(one.kind)}, ${one.code}`,
            })),
            ...(isKnown ? [] : [{ value: chosen, label: `${providerName(kind)}, not connected` }]),
          ]}
          onChange={move}
        />
      </Field>
      {before !== NONE && before !== chosen && (
        <Banner look="warn">
          Saving unlinks the customer from {providerName(kindOf(before))}: the payment methods left there are
          forgotten, and nothing is collected by them any more.
        </Banner>
      )}
      {chosen !== NONE &&
        (connection && !connection.abilities.saves_methods ? (
          <p className="ink2">
            The customer pays on pages of {providerName(kind)}; nothing has to be made there beforehand.{" "}
            {PAGES_NEED[kind]}
          </p>
        ) : (
          <LinkFields form={form} kind={kind} isLinked={before === chosen} />
        ))}
    </FormSection>
  );
}

/** What pages are not made without. */
const PAGES_NEED: Record<string, string> = {
  cashfree: "It makes none without their phone number.",
  flutterwave: "It makes none without their e-mail address.",
};

/** What ids look like where there is something to tell of it. */
const IDS: Record<string, string> = { stripe: "cus_…", gocardless: "CU…", adyen: "Shopper reference" };

/** Who tells, when asked, by what a customer pays there; of the others that is known once a customer has left something. */
const TELLING: readonly string[] = ["stripe", "gocardless"];

function hintOf(kind: string, way: LinkForm["links_by"]): string {
  if (way === "create") {
    return kind === "adyen"
      ? "By their external ID, once they have left a payment method; a link by which they do that is made."
      : "With name and e-mail; a link by which they leave a payment method is made, too.";
  }
  return TELLING.includes(kind)
    ? "A payment method that they have there is taken over where there is one."
    : "Payment methods that they have there are not taken over: ask them to add one afterwards.";
}

function LinkFields({ form, kind, isLinked }: { form: Props["form"]; kind: string; isLinked: boolean }) {
  const { field: way } = useController({ control: form.control, name: "links_by" });
  const { field: methods, fieldState } = useController({
    control: form.control,
    name: "provider_payment_methods",
  });
  const { errors } = form.formState;
  const name = providerName(kind);
  return (
    <>
      <div className="field">
        <span className="label">Customer at {name}</span>
        <Segments
          label={`Customer at ${name}`}
          value={way.value}
          options={[
            { value: "create", label: "Created automatically" },
            { value: "id", label: "Exists already" },
          ]}
          onChange={way.onChange}
        />
        <span className="hint">{hintOf(kind, way.value)}</span>
      </div>
      {way.value === "id" && (
        <Field label={`ID at ${name}`} error={messageOf(errors, "provider_customer_id")}>
          <TextInput
            placeholder={IDS[kind]}
            {...form.register("provider_customer_id", {
              validate: (id) => Boolean(id.trim()) || isLinked || "This is needed.",
            })}
          />
        </Field>
      )}
      {kind === "stripe" && (
        <div className="field">
          <span className="label">May pay by</span>
          <Toggles
            label="May pay by"
            options={STRIPE_METHODS}
            chosen={methods.value}
            onChange={(asked) => methods.onChange(togetherAtStripe(methods.value, asked))}
          />
          {fieldState.error ? (
            <span className="err">{fieldState.error.message}</span>
          ) : (
            <span className="hint">Bank transfers go alone, Link goes with cards.</span>
          )}
        </div>
      )}
    </>
  );
}
