import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Controller, useForm } from "react-hook-form";
import { read, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { startOfDay } from "@/lib/dates";
import { money } from "@/lib/money";
import { INHERITED, SectionsField, writeSections } from "@/pages/catalog/sections";
import { type Customer, nameOf } from "@/pages/customers/customer";
import { useCustomer, useEntities, usePlans, useSubscriptionsOf } from "@/pages/customers/reads";
import { priceWords } from "@/pages/customers/subscription-table";
import { MethodField } from "@/pages/payment-providers/method-field";
import { writePaid } from "@/pages/payment-providers/methods";
import { type PaymentMethod, usePaymentMethods } from "@/pages/payment-providers/reads";
import { Banner } from "@/ui/basics";
import { DateInput, Field, NumberInput, Segments, Switch, TextInput } from "@/ui/fields";
import { FieldRow, FormPage, FormSection, placeErrors } from "@/ui/form";
import { PickerField, SwitchField } from "@/ui/named";
import { useTitle } from "@/ui/page";
import { OwnPrices } from "./own-prices";
import { IssuingFields, NameField, type Particulars, writeIssuing } from "./particulars";
import { hrefOfSubscription } from "./reads";
import { SOME_PRICES_ARE_WRONG, useOwnPrices } from "./use-own-prices";

interface Values extends Particulars {
  external_customer_id: string;
  plan_code: string;
  external_id: string;
  billing_time: string;
  subscription_at: string;
  ending_at: string;
  consolidate_invoice: boolean;
  waits_for_payment: boolean;
  timeout_hours: string;
  payment_method: string;
}

/** Puts a customer on a plan. */
export function CreateSubscription() {
  const asked = useSearch({ strict: false }) as { customer?: string; plan?: string };
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>(null);
  const [term, setTerm] = useState("");
  const [sections, setSections] = useState(INHERITED);
  const form = useForm<Values>({
    mode: "onTouched",
    defaultValues: {
      external_customer_id: asked.customer === undefined ? "" : String(asked.customer),
      plan_code: asked.plan === undefined ? "" : String(asked.plan),
      name: "",
      external_id: "",
      billing_time: "calendar",
      subscription_at: "",
      ending_at: "",
      purchase_order_number: "",
      billing_entity_code: "",
      consolidate_invoice: true,
      waits_for_payment: false,
      timeout_hours: "24",
      payment_method: "provider",
    },
  });
  useTitle("New subscription");
  const values = form.watch();
  const owner = values.external_customer_id;
  const customers = useQuery(
    read("/api/v1/customers", { params: { query: { per_page: "20", ...(term && { search_term: term }) } } }),
  );
  const plans = usePlans();
  useEntities();
  const plan = plans.data?.plans.find((one) => one.code === values.plan_code);
  const { dirtyFields, errors } = form.formState;
  const isEdited = Boolean(dirtyFields.external_id);
  const own = useOwnPrices(values.plan_code);
  const create = useChange("post", "/api/v1/subscriptions", {
    done: "Subscription created",
    isQuiet: true,
    onDone: ({ subscription }) => {
      form.reset(form.getValues());
      void navigate({ to: hrefOfSubscription(subscription), ignoreBlocker: true });
    },
  });
  const { taken, customer } = useOwner(owner);
  const derived = freeId([owner, values.plan_code].filter(Boolean).join("_"), taken);
  const externalId = isEdited ? values.external_id.trim() : derived;
  const zone = customer?.applicable_timezone ?? "UTC";
  const submit = form.handleSubmit((entered) => {
    setError(null);
    if (taken.has(externalId)) {
      form.setError("external_id", { message: "The customer has a subscription with this ID." });
      return;
    }
    if (!own.areRight()) {
      setError(SOME_PRICES_ARE_WRONG);
      return;
    }
    const overrides = own.overrides();
    create.mutate(
      {
        body: {
          subscription: {
            external_customer_id: owner,
            plan_code: entered.plan_code,
            external_id: externalId,
            name: entered.name.trim() || null,
            billing_time: entered.billing_time,
            consolidate_invoice: entered.consolidate_invoice,
            ...writeIssuing(entered, dirtyFields),
            ...(entered.subscription_at && { subscription_at: startOfDay(entered.subscription_at, zone) }),
            ...(entered.ending_at && { ending_at: startOfDay(entered.ending_at, zone) }),
            ...(overrides && { plan_overrides: overrides }),
            ...(entered.payment_method !== "provider" && {
              payment_method: writePaid(entered.payment_method),
            }),
            ...(sections.way !== "inherited" && { invoice_custom_section: writeSections(sections) }),
            ...(entered.waits_for_payment && {
              activation_rules: [{ type: "payment", timeout_hours: Number(entered.timeout_hours) }],
            }),
          },
        } as never,
      },
      {
        onError: (fault) => {
          const left = placeErrors(form, fault, { currency: "plan_code", customer: "waits_for_payment" });
          setError(own.refuse(left));
        },
      },
    );
  });
  const methods = usePaymentMethods(owner);
  const lacks = customer && cannotBeWaitedFor(customer, values.payment_method, methods.data?.payment_methods);
  const differs = plan && customer?.currency && plan.amount_currency !== customer.currency;
  return (
    <FormPage
      title="New subscription"
      subject={customer && <span className="tag">{nameOf(customer)}</span>}
      submit="Create subscription"
      onSubmit={submit}
      onCancel={() =>
        void navigate({
          to: asked.customer ? paths.customers.show(String(asked.customer)) : paths.subscriptions.list(),
        })
      }
      isDirty={form.formState.isDirty || (own.isChanged && !create.isSuccess)}
      isBusy={create.isPending}
      error={error}
      effect={
        plan &&
        `${money(plan.amount_cents, plan.amount_currency)} ${priceWords(plan)}${plan.pay_in_advance ? "; the first invoice comes at the start" : ""}.`
      }
    >
      <FormSection title="Who and what">
        <PickerField
          form={form}
          name="external_customer_id"
          rules={{ required: "Choose a customer." }}
          label="Customer"
          {...(customer && { shown: nameOf(customer) })}
          isLoading={customers.isFetching}
          read={customers}
          choices={(customers.data?.customers ?? []).map((one) => ({
            value: one.external_id,
            label: nameOf(one),
            detail: one.external_id,
          }))}
          onSearch={setTerm}
        />
        <PickerField
          form={form}
          name="plan_code"
          rules={{ required: "Choose a plan." }}
          label="Plan"
          isLoading={plans.isLoading}
          read={plans}
          choices={(plans.data?.plans ?? []).map((one) => ({
            value: one.code,
            label: one.name,
            detail: `${money(one.amount_cents, one.amount_currency)} ${priceWords(one)}`,
          }))}
        />
        {plan && (
          <Switch
            label="Prices of its own"
            hint="The plan's prices, changed for this subscription alone."
            isOn={own.isOn}
            onChange={own.setOn}
          />
        )}
        {differs && (
          <Banner look="warn">
            The plan is in {plan.amount_currency}, the customer’s currency is {customer.currency}: its
            invoices will be in {plan.amount_currency}.
          </Banner>
        )}
        <FieldRow>
          <NameField form={form} />
          <Field label="External ID" hint="Events name it." error={errors.external_id?.message}>
            <TextInput placeholder={derived} {...form.register("external_id")} />
          </Field>
        </FieldRow>
      </FormSection>
      <OwnPrices own={own} />
      <FormSection title="When">
        <Controller
          control={form.control}
          name="billing_time"
          render={({ field }) => (
            <div className="field">
              <span className="label">Billing time</span>
              <Segments
                label="Billing time"
                value={field.value}
                options={[
                  { value: "calendar", label: "Calendar" },
                  { value: "anniversary", label: "Anniversary" },
                ]}
                onChange={field.onChange}
              />
              <span className="hint">
                {field.value === "calendar"
                  ? "Periods begin on the first; the first one is prorated from the start to its end."
                  : "Periods begin on the day of the start; the first one is a whole one."}
              </span>
            </div>
          )}
        />
        <FieldRow>
          <Field
            label="Starts"
            isOptional
            hint={`Now, if empty; else at 0:00 in ${zone}.`}
            error={errors.subscription_at?.message}
          >
            <DateInput {...form.register("subscription_at")} />
          </Field>
          <Field label="Ends" isOptional hint="At 0:00 of this day." error={errors.ending_at?.message}>
            <DateInput {...form.register("ending_at")} />
          </Field>
        </FieldRow>
        <SwitchField
          form={form}
          name="waits_for_payment"
          label="Start when the first invoice is paid"
          hint="Until then the subscription is incomplete, and nothing may be used."
        />
        {errors.waits_for_payment && <p className="err">{errors.waits_for_payment.message}</p>}
        {values.waits_for_payment && !errors.waits_for_payment && lacks && (
          <Banner look="warn">{lacks}</Banner>
        )}
        {values.waits_for_payment && (
          <Field label="Hours to pay" error={errors.timeout_hours?.message}>
            <NumberInput
              inputMode="numeric"
              {...form.register("timeout_hours", {
                pattern: { value: /^\d+$/, message: "This is no number of hours." },
              })}
            />
          </Field>
        )}
      </FormSection>
      <FormSection title="Invoices">
        <IssuingFields form={form} inherited={customer?.billing_entity_code} />
        <SwitchField
          form={form}
          name="consolidate_invoice"
          label="On one invoice with the customer's other subscriptions"
        />
        <MethodField form={form} name="payment_method" customer={owner} />
        <SectionsField choice={sections} onChange={setSections} />
      </FormSection>
    </FormPage>
  );
}

/** Why a first payment cannot be waited for, in words, as far as it is known; the server has the last one (subscriptions §2.10). */
function cannotBeWaitedFor(
  { billing_configuration: config }: Customer,
  paid: string,
  methods: readonly PaymentMethod[] | undefined,
): string | undefined {
  if (!config.payment_provider)
    return "The customer has no payment provider, which is what would collect it.";
  if (paid === "manual") return "It is paid by hand: nobody would collect the first invoice.";
  if (paid === "provider" && methods && !methods.some((one) => one.is_default)) {
    return "The customer has no payment method yet.";
  }
  return undefined;
}

/** The customer chosen, and the external ids that its subscriptions have. */
function useOwner(id: string) {
  const asked = id || "-";
  const customer = useCustomer(asked);
  const subscriptions = useSubscriptionsOf(asked);
  const live = subscriptions.data?.subscriptions.filter(
    (one) => one.status !== "terminated" && one.status !== "canceled",
  );
  return {
    customer: id && customer.data?.customer.external_id === id ? customer.data.customer : undefined,
    taken: new Set((id && live ? live : []).map((one) => one.external_id)),
  };
}

function freeId(wanted: string, taken: Set<string>): string {
  if (!taken.has(wanted)) return wanted;
  let count = 2;
  while (taken.has(`${wanted}_${count}`)) count += 1;
  return `${wanted}_${count}`;
}
