import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { ask, useChange } from "@/api/client";
import { explainRead } from "@/api/errors";
import { useCan } from "@/app/session";
import { day } from "@/lib/dates";
import { money } from "@/lib/money";
import { useEntities, usePlans } from "@/pages/customers/reads";
import { priceWords } from "@/pages/customers/subscription-table";
import { nameOfFee } from "@/pages/invoices/model";
import { Money } from "@/ui/amounts";
import { Banner } from "@/ui/basics";
import { Switch } from "@/ui/fields";
import { FormPage, FormSection, placeErrors } from "@/ui/form";
import { PickerField } from "@/ui/named";
import { useTitle } from "@/ui/page";
import { Loaded, Skeleton } from "@/ui/states";
import { OwnPrices } from "./own-prices";
import { IssuingFields, NameField, type Particulars, writeIssuing } from "./particulars";
import { isDowngrade } from "./pricing";
import { type Detailed, hrefOfSubscription, useMetrics, useSubscription } from "./reads";
import { SOME_PRICES_ARE_WRONG, useOwnPrices } from "./use-own-prices";
import "@/pages/invoices/invoices.css";

export function ChangePlan() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { status } = useSearch({ strict: false }) as { status?: string };
  const subscription = useSubscription(id, status);
  usePlans();
  useEntities();
  useMetrics();
  return (
    <Loaded query={subscription} what="Subscription">
      {({ subscription: found }) => <Editor saved={found} />}
    </Loaded>
  );
}

interface Values extends Particulars {
  plan_code: string;
}

function Editor({ saved }: { saved: Detailed }) {
  const can = useCan();
  const navigate = useNavigate();
  const plans = usePlans();
  const [error, setError] = useState<unknown>(null);
  const form = useForm<Values>({
    mode: "onTouched",
    defaultValues: {
      plan_code: "",
      name: saved.name ?? "",
      purchase_order_number: saved.purchase_order_number ?? "",
      billing_entity_code: saved.billing_entity_code,
    },
  });
  const { dirtyFields, isDirty } = form.formState;
  const code = form.watch("plan_code");
  useTitle(`Change plan of ${saved.name || saved.external_id}`);
  const own = useOwnPrices(code);
  const chosen = plans.data?.plans.find((one) => one.code === code);
  const overrides = own.overrides();
  const isDown = chosen !== undefined && isDowngrade(saved.plan, { ...chosen, ...feeOf(overrides) });
  const differs = chosen !== undefined && chosen.amount_currency !== saved.plan_amount_currency;
  const end = saved.current_billing_period_ending_at;
  const next = end && new Date(Date.parse(end) + 1000).toISOString();
  const change = useChange("post", "/api/v1/subscriptions", {
    done: isDown ? "Plan will change at the end of the period" : "Plan changed",
    isQuiet: true,
    onDone: ({ subscription }) =>
      void navigate({ to: hrefOfSubscription(subscription), ignoreBlocker: true }),
  });
  const when = !chosen
    ? undefined
    : saved.status === "pending"
      ? `Starts on ${chosen.name} instead.`
      : isDown
        ? `A downgrade: ${chosen.name} takes over ${next ? `on ${day(next)}` : "at the next period"}. Until then nothing changes.`
        : `An upgrade: ${chosen.name} takes over now. The old plan is billed to this moment, and unused time paid in advance is credited.`;
  const submit = form.handleSubmit((entered) => {
    setError(null);
    if (!own.areRight()) {
      setError(SOME_PRICES_ARE_WRONG);
      return;
    }
    change.mutate(
      {
        body: {
          subscription: {
            external_customer_id: saved.external_customer_id,
            external_id: saved.external_id,
            plan_code: entered.plan_code,
            ...((entered.name.trim() || dirtyFields.name) && { name: entered.name.trim() || null }),
            ...writeIssuing(entered, dirtyFields),
            ...(overrides && { plan_overrides: overrides }),
          },
        } as never,
      },
      { onError: (fault) => setError(own.refuse(placeErrors(form, fault))) },
    );
  });
  return (
    <FormPage
      title="Change plan"
      subject={<span className="tag">{saved.name || saved.external_id}</span>}
      submit="Change plan"
      onSubmit={submit}
      onCancel={() => void navigate({ to: hrefOfSubscription(saved) })}
      isDirty={isDirty || own.isChanged}
      isBusy={change.isPending}
      error={error}
      effect={when}
      aside={
        saved.status === "active" &&
        can("invoices:view") && (
          <>
            <h2>Invoice of the change</h2>
            {overrides ? (
              <p className="dim">With prices of its own the change is not reckoned beforehand.</p>
            ) : chosen && !differs ? (
              <Preview subscription={saved} planCode={chosen.code} isOpen={change.isIdle || change.isError} />
            ) : (
              <p className="dim">Choose a plan to see what the change comes to.</p>
            )}
          </>
        )
      }
    >
      <FormSection
        title="Plan"
        about={`Now: ${saved.plan.name}, ${money(saved.plan.amount_cents, saved.plan.amount_currency)} ${priceWords(saved.plan)}.`}
      >
        <PickerField
          form={form}
          name="plan_code"
          rules={{ required: "Choose a plan." }}
          label="New plan"
          isLoading={plans.isLoading}
          read={plans}
          choices={(plans.data?.plans ?? [])
            .filter((one) => one.code !== saved.plan_code)
            .map((one) => ({
              value: one.code,
              label: one.name,
              detail: `${money(one.amount_cents, one.amount_currency)} ${priceWords(one)}`,
            }))}
        />
        {when && <Banner>{when}</Banner>}
        {differs && (
          <Banner look="warn">
            {chosen.name} is in {chosen.amount_currency}, the subscription in {saved.plan_amount_currency}:
            its invoices will be in {chosen.amount_currency}, and the change is not reckoned beforehand.
          </Banner>
        )}
        {chosen && (
          <Switch
            label="Prices of its own"
            hint="The new plan's prices, changed for this subscription alone."
            isOn={own.isOn}
            onChange={own.setOn}
          />
        )}
      </FormSection>
      <OwnPrices own={own} />
      <FormSection
        title="Subscription"
        about="As it is now, unless it is changed here. Dates, sections and payment go over to the new plan."
      >
        <NameField form={form} />
        <IssuingFields form={form} />
      </FormSection>
    </FormPage>
  );
}

/** The fee that decides whether a change is a downgrade, where a subscription has one of its own (subscriptions §2.4). */
function feeOf(overrides: Record<string, unknown> | null): { amount_cents?: number } {
  return typeof overrides?.amount_cents === "number" ? { amount_cents: overrides.amount_cents } : {};
}

interface PreviewProps {
  subscription: Detailed;
  planCode: string;
  /** Whether the change is still to be made. */
  isOpen: boolean;
}

/** The invoice that the change would make: what the old plan still costs, the new one's first period, what is credited. */
function Preview({ subscription, planCode, isOpen }: PreviewProps) {
  const preview = useQuery({
    ...ask("/api/v1/invoices/preview", {
      body: {
        customer: { external_id: subscription.external_customer_id },
        subscriptions: { external_ids: [subscription.external_id], plan_code: planCode },
      },
    }),
    enabled: isOpen,
  });
  if (preview.error) return <p className="dim">{explainRead(preview.error)}</p>;
  if (!preview.data) return <Skeleton width="80%" />;
  const { invoice } = preview.data;
  const rows: [name: string, cents: number][] = [
    ...invoice.fees.map((fee): [string, number] => [nameOfFee(fee), fee.amount_cents]),
    ["Coupons", -invoice.coupons_amount_cents],
    ["Billed progressively", -invoice.progressive_billing_credit_amount_cents],
    ["Tax", invoice.taxes_amount_cents],
    ["Credit notes", -invoice.credit_notes_amount_cents],
    ["Prepaid credits", -invoice.prepaid_credit_amount_cents],
  ];
  return (
    <dl className="estimate" aria-busy={preview.isFetching}>
      {rows
        .filter(([, cents]) => cents !== 0)
        .map(([name, cents], index) => (
          <Row key={index} name={name} cents={cents} currency={invoice.currency} />
        ))}
      <Row name="Total" cents={invoice.total_amount_cents} currency={invoice.currency} look="t" />
    </dl>
  );
}

function Row(props: { name: string; cents: number; currency: string; look?: string }) {
  const { name, cents, currency, look } = props;
  return (
    <>
      <dt className={look}>{name}</dt>
      <dd className={look}>
        <Money cents={cents} currency={currency} isZeroPlain />
      </dd>
    </>
  );
}
