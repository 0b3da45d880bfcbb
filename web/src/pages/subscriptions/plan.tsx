/** What a subscription really costs: its plan's prices, and those of its own. */
import { Pencil } from "lucide-react";
import { useState } from "react";
import { type Schema, useChange } from "@/api/client";
import { explain } from "@/api/errors";
import { useCan } from "@/app/session";
import { percent, price, symbol } from "@/lib/money";
import { PlanLink, priceWords } from "@/pages/customers/subscription-table";
import { Money } from "@/ui/amounts";
import { Banner, Button, Facts, Section } from "@/ui/basics";
import { Field, NumberInput, TextInput } from "@/ui/fields";
import { Drawer } from "@/ui/overlays";
import { Empty } from "@/ui/states";
import { Table } from "@/ui/table";
import type { TabProps } from "./page";
import { numbersOf, priceOf, withNumbers } from "./pricing";
import { type Detailed, inStatus } from "./reads";

type Charge = Schema<"ChargeOutput">;

export function Pricing({ subscription }: TabProps) {
  const can = useCan();
  const { plan } = subscription;
  const currency = plan.amount_currency;
  const [open, setOpen] = useState<Charge | null>(null);
  return (
    <div className="tab-body">
      <Section title="Plan">
        <Facts
          facts={[
            ["Plan", <PlanLink key="plan" code={subscription.plan_code} name={plan.name} />],
            [
              "Subscription fee",
              <span key="fee">
                <Money cents={plan.amount_cents} currency={currency} isZeroPlain />{" "}
                {priceWords(plan).split(",")[0]}, {plan.pay_in_advance ? "in advance" : "in arrears"}
              </span>,
            ],
            ["Trial", plan.trial_period ? `${plan.trial_period} days` : null],
            ["Prices", plan.parent_id ? "Overridden for this subscription" : "As in the plan"],
            ["Taxes", plan.taxes.map((tax) => `${tax.name}, ${percent(tax.rate)}`).join("; ")],
            [
              "Minimum commitment",
              plan.minimum_commitment && (
                <Money cents={plan.minimum_commitment.amount_cents} currency={currency} />
              ),
            ],
          ]}
        />
      </Section>
      <Section title="Usage charges" meta={plan.charges.length || undefined}>
        {plan.charges.length === 0 ? (
          <Empty title="The plan charges for no usage" />
        ) : (
          <Table
            label="Usage charges"
            isTall
            rows={plan.charges}
            keyOf={(one) => one.lago_id}
            onOpen={setOpen}
            columns={[
              {
                head: "Charge",
                fold: "f1",
                cell: (one) => (
                  <>
                    <b className="med">{one.invoice_display_name || one.billable_metric_code}</b>
                    <span className="sub id">{one.code}</span>
                  </>
                ),
              },
              {
                head: "Model",
                isLow: true,
                cell: (one) => <span className="ink2">{one.charge_model.replaceAll("_", " ")}</span>,
              },
              {
                head: "Price",
                fold: "f3",
                cell: (one) => priceOf(one.charge_model, one.properties, currency),
              },
              {
                head: "Billed",
                isLow: true,
                cell: (one) => (one.pay_in_advance ? "In advance" : "In arrears"),
              },
              {
                head: "",
                fold: "f4",
                cell: (one) => one.lago_parent_id && <span className="tag accent">Overridden</span>,
              },
            ]}
          />
        )}
      </Section>
      {plan.fixed_charges.length > 0 && (
        <Section title="Fixed charges">
          <Table
            label="Fixed charges"
            rows={plan.fixed_charges}
            keyOf={(one) => one.lago_id}
            columns={[
              {
                head: "Charge",
                fold: "f1",
                cell: (one) => <b className="med">{one.invoice_display_name || one.add_on_code}</b>,
              },
              {
                head: "Price",
                fold: "f3",
                cell: (one) => priceOf(one.charge_model, one.properties, currency),
              },
              { head: "Units", isNumber: true, fold: "f2", cell: (one) => one.units },
            ]}
          />
        </Section>
      )}
      {open && (
        <ChargeDrawer
          subscription={subscription}
          charge={open}
          mayChange={subscription.status === "active" && can("charges:update", "subscriptions:update")}
          onClose={() => setOpen(null)}
        />
      )}
    </div>
  );
}

interface DrawerProps {
  subscription: Detailed;
  charge: Charge;
  mayChange: boolean;
  onClose: () => void;
}

/** A charge's numbers, and others for this subscription alone. */
function ChargeDrawer({ subscription, charge, mayChange, onClose }: DrawerProps) {
  const currency = subscription.plan.amount_currency;
  const numbers = numbersOf(charge.charge_model, charge.properties);
  const [isEditing, setEditing] = useState(false);
  const [name, setName] = useState(charge.invoice_display_name ?? "");
  const [values, setValues] = useState(() => numbers.map((one) => one.value));
  const [error, setError] = useState<unknown>(null);
  const wrong = values.map((value) => !/^\d+(\.\d+)?$/.test(value.trim()));
  const isDirty =
    name !== (charge.invoice_display_name ?? "") || numbers.some((one, index) => one.value !== values[index]);
  const save = useChange("put", "/api/v1/subscriptions/{external_id}/charges/{code}", {
    done: "Price overridden",
    isQuiet: true,
    onDone: onClose,
  });
  const submit = () => {
    if (wrong.some(Boolean)) return;
    setError(null);
    const changed = numbers.map((one, index) => ({ path: one.path, value: values[index]!.trim() }));
    save.mutate(
      {
        params: {
          path: { external_id: subscription.external_id, code: charge.code },
          query: inStatus(subscription),
        },
        body: {
          charge: {
            invoice_display_name: name.trim() || null,
            properties: withNumbers(charge.properties, changed),
          },
        },
      } as never,
      { onError: setError },
    );
  };
  return (
    <Drawer
      title={charge.invoice_display_name || charge.billable_metric_code}
      isOpen
      isDirty={isEditing && isDirty}
      onClose={onClose}
      footer={
        isEditing ? (
          <>
            <Button onClick={() => setEditing(false)}>Cancel</Button>
            <Button look="primary" isBusy={save.isPending} onClick={submit} disabled={!isDirty}>
              Override price
            </Button>
          </>
        ) : (
          mayChange &&
          numbers.length > 0 && (
            <Button onClick={() => setEditing(true)}>
              <Pencil className="i" aria-hidden="true" />
              Override price
            </Button>
          )
        )
      }
    >
      {error !== null && <Banner look="bad">{explain(error)}</Banner>}
      {isEditing ? (
        <div className="form-fields">
          <p className="ink2">
            Only {subscription.external_id} has these prices; changes of the plan do not reach them any more.
          </p>
          <Field label="Name on invoices" isOptional>
            <TextInput value={name} onChange={(event) => setName(event.target.value)} />
          </Field>
          {numbers.map((one, index) => (
            <Field
              key={one.path.join(".")}
              label={one.label}
              error={wrong[index] ? "This is no number." : undefined}
            >
              <NumberInput
                {...(one.isMoney && { before: symbol(currency) })}
                value={values[index]}
                onChange={(event) =>
                  setValues(values.map((value, at) => (at === index ? event.target.value : value)))
                }
              />
            </Field>
          ))}
        </div>
      ) : (
        <>
          <Facts
            facts={[
              ["Model", charge.charge_model.replaceAll("_", " ")],
              ["Price", priceOf(charge.charge_model, charge.properties, currency)],
              ["Billed", charge.pay_in_advance ? "In advance, event by event" : "At the end of the period"],
              ["Prorated", charge.prorated ? "By days" : "No"],
              [
                "At least",
                charge.min_amount_cents > 0 && <Money cents={charge.min_amount_cents} currency={currency} />,
              ],
              ["Taxes", charge.taxes.map((tax) => `${tax.name}, ${percent(tax.rate)}`).join("; ")],
            ]}
          />
          {numbers.length > 0 && (
            <Facts
              facts={numbers.map((one) => [one.label, one.isMoney ? price(one.value, currency) : one.value])}
            />
          )}
          {charge.filters.length > 0 && (
            <>
              <h3>By filter</h3>
              <Facts
                facts={charge.filters.map((filter) => [
                  filter.invoice_display_name || filterWords(filter.values),
                  priceOf(charge.charge_model, filter.properties, currency),
                ])}
              />
            </>
          )}
        </>
      )}
    </Drawer>
  );
}

function filterWords(values: Record<string, unknown>): string {
  return Object.entries(values)
    .map(([key, some]) => `${key}: ${Array.isArray(some) ? some.join(", ") : String(some)}`)
    .join("; ");
}
