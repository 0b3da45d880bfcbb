import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { percent, units } from "@/lib/money";
import { CatalogDetails } from "@/pages/catalog/details";
import { Day, Money } from "@/ui/amounts";
import { Banner, buttonClass, Facts, Section } from "@/ui/basics";
import { List, useListState, useRows } from "@/ui/list";
import { Empty } from "@/ui/states";
import { Status } from "@/ui/status";
import { Table } from "@/ui/table";
import { PlanActions } from "./actions";
import { INTERVALS, nounOf } from "./draft";
import { Effect } from "./effect";
import { modelWord, priceLines, priceWords, readPrice } from "./price";
import { filterWords, PriceList } from "./price-list";
import { endOf, type Looked, usePrices } from "./prices";
import { addOnsRead, metricsRead, planRead } from "./reads";
import type { Plan } from "./wire";
import "./plans.css";
import { useKept } from "@/ui/opened";

export function PlanDetails() {
  const { id, tab } = useParams({ strict: false }) as { id: string; tab: string };
  const can = useCan();
  const plan = useQuery(planRead(id));
  const metrics = useQuery({
    ...metricsRead(),
    enabled: tab === "overview" && can("billable_metrics:view"),
  });
  const addOns = useQuery({ ...addOnsRead(), enabled: tab === "overview" && can("addons:view") });
  return (
    <CatalogDetails
      what="Plan"
      list={{ label: "Plans", href: paths.plans.list() }}
      query={plan}
      thingOf={(answer) => answer.plan}
      tab={tab}
      hrefOf={(of) => paths.plans.show(id, of)}
      sub={(shown) => (
        <span>
          <Money cents={shown.amount_cents} currency={shown.amount_currency} isZeroPlain /> a{" "}
          {nounOf(shown.interval)}, {shown.pay_in_advance ? "in advance" : "in arrears"}
        </span>
      )}
      actions={(shown) =>
        can("subscriptions:create") && (
          <Link to={paths.subscriptions.create({ plan: shown.code })} className={buttonClass()}>
            Assign plan
          </Link>
        )
      }
      edit={{ right: "plans:update", hrefOf: (code) => paths.plans.update(code) }}
      menu={(shown, trigger) => <PlanActions plan={shown} isOnPage trigger={trigger} />}
      notice={(shown) =>
        shown.pending_deletion && (
          <Banner look="warn">It is being deleted: subscriptions on it end one by one.</Banner>
        )
      }
      tabs={[
        {
          label: "Subscriptions",
          href: paths.plans.show(id, "subscriptions"),
          isShown: can("subscriptions:view"),
        },
      ]}
    >
      {(shown) =>
        tab === "subscriptions" ? (
          <Subscriptions code={shown.code} />
        ) : (
          <Overview
            plan={shown}
            metrics={metrics.data?.billable_metrics ?? []}
            addOns={addOns.data?.add_ons ?? []}
          />
        )
      }
    </CatalogDetails>
  );
}

type Metric = Schema<"MetricOutput">;
type Charge = Schema<"ChargeOutput">;
type Tax = { code: string; name: string; rate: number };

function Overview({
  plan,
  metrics,
  addOns,
}: {
  plan: Plan;
  metrics: readonly Metric[];
  addOns: readonly Schema<"AddOnOutput">[];
}) {
  const currency = plan.amount_currency;
  return (
    <>
      <Charges plan={plan} metrics={metrics} />
      <div className="plan-columns">
        <div>
          {plan.fixed_charges.length > 0 && (
            <Section
              title="Fixed charges"
              actions={<EditPart plan={plan} part="fixed" name="fixed charges" />}
              meta={`billed ${billedWhen(plan, plan.bill_fixed_charges_monthly)}`}
            >
              <Table
                label="Fixed charges"
                rows={plan.fixed_charges}
                keyOf={(charge) => charge.lago_id}
                columns={[
                  {
                    head: "Add-on",
                    fold: "f1",
                    cell: (charge) =>
                      charge.invoice_display_name ||
                      (addOns.find(({ code }) => code === charge.add_on_code)?.name ?? charge.add_on_code),
                  },
                  { head: "Units", isNumber: true, fold: "f4", cell: (charge) => units(charge.units) },
                  { head: "Billed", isLow: true, cell: (charge) => inWords(charge) },
                  {
                    head: "Price",
                    fold: "f2",
                    isNumber: true,
                    cell: (charge) => priceWords(charge.charge_model, charge.properties, currency),
                  },
                ]}
              />
            </Section>
          )}
          {plan.minimum_commitment && (
            <Section
              title="Minimum commitment"
              actions={<EditPart plan={plan} part="commitment" name="minimum commitment" />}
            >
              <Facts
                facts={[
                  [
                    `Each ${nounOf(plan.interval)}`,
                    <Money key="amount" cents={plan.minimum_commitment.amount_cents} currency={currency} />,
                  ],
                  ["Name on invoices", plan.minimum_commitment.invoice_display_name],
                  ["Taxes", taxWords(plan.minimum_commitment.taxes)],
                ]}
              />
            </Section>
          )}
          {plan.usage_thresholds.length > 0 && (
            <Section
              title="Progressive billing"
              meta="an invoice as soon as usage reaches"
              actions={<EditPart plan={plan} part="progressive" name="progressive billing" />}
            >
              <Facts
                facts={plan.usage_thresholds.map((one) => [
                  one.threshold_display_name || (one.recurring ? "Then every" : "At"),
                  <Money key={one.lago_id} cents={one.amount_cents} currency={currency} />,
                ])}
              />
            </Section>
          )}
          {plan.entitlements.length > 0 && (
            <Section
              title="Entitlements"
              actions={<EditPart plan={plan} part="entitlements" name="entitlements" />}
            >
              <Facts
                facts={plan.entitlements.map((grant) => [
                  grant.name || grant.code,
                  grant.privileges.length === 0
                    ? "included"
                    : grant.privileges
                        .map((one) => `${one.name || one.code}: ${valueWords(one.value)}`)
                        .join(" · "),
                ])}
              />
            </Section>
          )}
        </div>
        <Section title="Settings" actions={<EditPart plan={plan} part="settings" name="settings" />}>
          <Facts
            facts={[
              ["Billed", INTERVALS.find(({ value }) => value === plan.interval)?.label],
              ["Fee", <Money key="fee" cents={plan.amount_cents} currency={currency} isZeroPlain />],
              ["Fee is paid", plan.pay_in_advance ? "In advance" : "In arrears"],
              ["Trial", plan.trial_period ? `${plan.trial_period} days` : null],
              ["Name on invoices", plan.invoice_display_name],
              ["Taxes", taxWords(plan.taxes)],
              ["Description", plan.description],
              ["Created", <Day key="created" value={plan.created_at} />],
              ...Object.entries(plan.metadata ?? {}).map(([key, value]): [string, string | null] => [
                key,
                value,
              ]),
            ]}
          />
        </Section>
      </div>
    </>
  );
}

/** The way to a part of the plan's editor. */
function EditPart({ plan, part, name }: { plan: Plan; part: string; name: string }) {
  const can = useCan();
  if (!can("plans:update")) return null;
  return (
    <Link to={paths.plans.update(plan.code)} hash={part} className="link small" aria-label={`Edit ${name}`}>
      Edit
    </Link>
  );
}

function valueWords(value: boolean | number | string): string {
  return value === true ? "yes" : value === false ? "no" : String(value);
}

function taxWords(taxes: readonly Tax[]): string | null {
  return taxes.map(({ name, rate }) => `${name} (${percent(rate)})`).join(", ") || null;
}

function billedWhen(plan: Plan, isMonthly: boolean | null): string {
  return isMonthly ? "each month" : `each ${nounOf(plan.interval)}`;
}

function inWords(charge: { pay_in_advance: boolean; prorated: boolean }): string {
  return `${charge.pay_in_advance ? "In advance" : "In arrears"}${charge.prorated ? ", prorated" : ""}`;
}

/** What a charge is called: on invoices, else by its metric. */
function nameOf(charge: Charge, metrics: readonly Metric[]): string {
  const metric = metrics.find(({ lago_id }) => lago_id === charge.lago_billable_metric_id);
  return charge.invoice_display_name || metric?.name || charge.billable_metric_code;
}

function Charges({ plan, metrics }: { plan: Plan; metrics: readonly Metric[] }) {
  const [chosen, keep] = useKept("charge");
  const charge = plan.charges.find(({ lago_id }) => lago_id === chosen) ?? plan.charges[0];
  return (
    <Section
      title="Usage charges"
      actions={<EditPart plan={plan} part="charges" name="usage charges" />}
      meta={plan.charges.length > 0 ? `billed ${billedWhen(plan, plan.bill_charges_monthly)}` : undefined}
    >
      {charge ? (
        <div className="charges-columns">
          <Table
            label="Usage charges"
            rows={plan.charges}
            keyOf={({ lago_id }) => lago_id}
            chosen={charge.lago_id}
            onOpen={({ lago_id }) => keep(lago_id)}
            isTall
            columns={[
              {
                head: "Charge",
                fold: "f1",
                cell: (one) => (
                  <span className="who">
                    <span>
                      <b>{nameOf(one, metrics)}</b>
                      <span className="id">{one.code}</span>
                    </span>
                  </span>
                ),
              },
              { head: "Model", fold: "f3", cell: (one) => modelWord(one.charge_model) },
              { head: "Billed", isLow: true, cell: inWords },
              {
                head: "Price",
                fold: "f2",
                isNumber: true,
                cell: (one) => priceWords(one.charge_model, one.properties, plan.amount_currency),
              },
            ]}
          />
          <ChargePanel key={charge.lago_id} charge={charge} plan={plan} metrics={metrics} />
        </div>
      ) : (
        <p className="dim">None. Only the fee is billed.</p>
      )}
    </Section>
  );
}

/** By which keys of events a charge's usage is split. */
interface GroupKeys {
  pricing_group_keys?: string[];
  presentation_group_keys?: { value: string }[];
}

function ChargePanel({ charge, plan, metrics }: { charge: Charge; plan: Plan; metrics: readonly Metric[] }) {
  const currency = plan.amount_currency;
  const metric = metrics.find(({ lago_id }) => lago_id === charge.lago_billable_metric_id);
  const name = nameOf(charge, metrics);
  const looked = useMemo<Looked>(
    () => ({
      name,
      isFixed: false,
      model: charge.charge_model,
      price: readPrice(charge.charge_model, charge.properties),
      kept: null,
      aggregation: metric?.aggregation_type ?? "sum_agg",
      currency,
      min_amount_cents: charge.min_amount_cents,
      saved_min_amount_cents: 0,
    }),
    [charge, currency, metric, name],
  );
  const [typed, setTyped] = useState(() => String(Math.round(endOf(looked) * 0.58)));
  const keys = charge.properties as GroupKeys;
  const isInMoney = charge.applied_pricing_unit === null;
  const answer = usePrices(isInMoney && metric ? looked : null, typed);
  return (
    <aside className="charge-panel" aria-label={`Price of ${name}`}>
      {isInMoney ? (
        <Effect looked={looked} answer={answer} typed={typed} onType={setTyped} />
      ) : (
        <p className="dim">
          Priced in {charge.applied_pricing_unit?.code}, {charge.applied_pricing_unit?.conversion_rate}{" "}
          {currency} each.
        </p>
      )}
      <PriceList
        title={`Price${metric ? ` of ${metric.name}` : ""}`}
        lines={priceLines(charge.charge_model, charge.properties, currency)}
      />
      {charge.filters.map((filter) => (
        <PriceList
          key={filter.lago_id}
          title={filter.invoice_display_name || filterWords(filter.values)}
          note={filter.invoice_display_name ? filterWords(filter.values) : undefined}
          lines={priceLines(charge.charge_model, filter.properties, currency)}
        />
      ))}
      <Facts
        isTight
        facts={[
          ["Billed", inWords(charge)],
          [
            "Minimum",
            charge.min_amount_cents > 0 && <Money cents={charge.min_amount_cents} currency={currency} />,
          ],
          ["Taxes", taxWords(charge.taxes)],
          ["Priced by group", (keys.pricing_group_keys ?? []).join(", ")],
          ["Shown by group", (keys.presentation_group_keys ?? []).map((key) => key.value).join(", ")],
          ...(charge.pay_in_advance
            ? [
                [
                  "Invoiced",
                  charge.invoiceable
                    ? "Each event by itself"
                    : charge.regroup_paid_fees
                      ? "Paid fees together"
                      : "Not at all",
                ] as [string, string],
              ]
            : []),
        ]}
      />
    </aside>
  );
}

function Subscriptions({ code }: { code: string }) {
  const list = useListState();
  const query = {
    plan_code: code,
    "status[]": list.filters["status[]"] ? [list.filters["status[]"]] : ["active", "pending"],
    ...(list.filters.overridden && { overridden: list.filters.overridden }),
  };
  const subscriptions = useRows(list, (asked) =>
    read("/api/v1/subscriptions", { params: { query: { ...query, ...asked } as never } }),
  );
  return (
    <section className="sec">
      <List
        what="subscriptions"
        controls={list}
        query={subscriptions}
        rowsOf={(page) => page.subscriptions}
        keyOf={({ lago_id }) => lago_id}
        hrefOf={(one) => paths.subscriptions.show(one.external_customer_id, one.external_id)}
        filters={[
          {
            key: "status[]",
            label: "Status",
            options: ["active", "pending", "terminated", "canceled"].map((value) => ({
              value,
              label: value.charAt(0).toUpperCase() + value.slice(1),
            })),
          },
          {
            key: "overridden",
            label: "Prices",
            options: [
              { value: "true", label: "Its own" },
              { value: "false", label: "The plan’s" },
            ],
          },
        ]}
        columns={[
          { head: "Subscription", fold: "f1", cell: (one) => one.name || one.external_id },
          { head: "Status", fold: "f4", cell: (one) => <Status status={one.status} /> },
          {
            head: "Customer",
            fold: "f3",
            cell: (one) => <span title={one.external_customer_id}>{one.customer_name}</span>,
          },
          { head: "Prices", isLow: true, cell: (one) => (one.has_own_prices ? "Its own" : "The plan’s") },
          {
            head: "Fee",
            fold: "f2",
            isNumber: true,
            cell: (one) => <Money cents={one.plan_amount_cents} currency={one.plan_amount_currency} />,
          },
          {
            head: "Start",
            isLow: true,
            cell: (one) => <Day value={one.started_at ?? one.subscription_at} />,
          },
          { head: "End", isLow: true, cell: (one) => <Day value={one.terminated_at ?? one.ending_at} /> },
        ]}
        empty={<Empty title="Nobody is subscribed">Assign the plan to a customer to bill by it.</Empty>}
      />
    </section>
  );
}
