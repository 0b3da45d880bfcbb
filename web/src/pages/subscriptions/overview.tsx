import { Link } from "@tanstack/react-router";
import { paths } from "@/app/paths";
import { day } from "@/lib/dates";
import { nameOf } from "@/pages/customers/customer";
import { UsageSection, type Usages, useUsages } from "@/pages/customers/overview";
import { useCustomer, useEntities, usePlans } from "@/pages/customers/reads";
import { PlanLink, priceWords } from "@/pages/customers/subscription-table";
import { TOTAL } from "@/pages/customers/usage-proof";
import { useWhy } from "@/pages/customers/usage-why";
import { PaidBy } from "@/pages/payment-providers/method-field";
import { Day, Moment, Money, Why } from "@/ui/amounts";
import { Banner, Copy, Facts, Section, Stat, Stats } from "@/ui/basics";
import { LoadedStat } from "@/ui/states";
import { Status } from "@/ui/status";
import type { TabProps } from "./page";
import type { Detailed } from "./reads";

export function Overview({ subscription, zone }: TabProps) {
  const usages = useUsages(subscription.external_customer_id, [subscription]);
  return (
    <div className="tab-body">
      <Notes subscription={subscription} zone={zone} />
      {subscription.status === "active" && (
        <>
          <Figures subscription={subscription} usages={usages} zone={zone} />
          <UsageSection
            customer={subscription.external_customer_id}
            subscription={subscription.external_id}
            zone={zone}
            usages={usages}
          />
        </>
      )}
      <Section title="Terms">
        <Terms subscription={subscription} zone={zone} />
      </Section>
      {subscription.activation_rules.length > 0 && (
        <Section title="Activation">
          {subscription.activation_rules.map((rule) => (
            <p key={rule.lago_id} className="row">
              <Status status={rule.status === "satisfied" ? "succeeded" : rule.status} word={rule.status} />
              Starts when its first invoice is paid, within {rule.timeout_hours} hours
              {rule.expires_at && (
                <>
                  , until <Moment value={rule.expires_at} zone={zone} />
                </>
              )}
            </p>
          ))}
        </Section>
      )}
    </div>
  );
}

function Notes({ subscription, zone }: TabProps) {
  const plans = usePlans().data?.plans;
  const nameOfPlan = (code: string) => plans?.find((plan) => plan.code === code)?.name ?? code;
  if (subscription.next_plan_code) {
    return (
      <Banner>
        Changes to <b className="med">{nameOfPlan(subscription.next_plan_code)}</b>
        {subscription.downgrade_plan_date ? ` on ${day(subscription.downgrade_plan_date, zone)}` : " next"}.
      </Banner>
    );
  }
  if (subscription.previous_plan_code) {
    return (
      <Banner>
        Follows <b className="med">{nameOfPlan(subscription.previous_plan_code)}</b>.
      </Banner>
    );
  }
  return null;
}

function Figures({ subscription, usages, zone }: TabProps & { usages: Usages }) {
  const { why, show } = useWhy();
  const usage = usages.bySubscription.get(subscription.external_id);
  const end = subscription.current_billing_period_ending_at;
  return (
    <Stats>
      <LoadedStat name="Usage so far" query={usages.reads}>
        {() => (
          <Stat
            name="Usage so far"
            value={
              usage && (
                <Why isOpen={why !== undefined} onClick={() => show(why ? undefined : TOTAL)}>
                  <Money cents={usage.amount_cents} currency={usage.currency} isZeroPlain />
                </Why>
              )
            }
            detail="in the current period, before tax"
          />
        )}
      </LoadedStat>
      <Stat
        name="Projected usage"
        value={<Money cents={usage?.projected_amount_cents} currency={usage?.currency} isZeroPlain />}
        detail={end && `by ${day(end, zone)}`}
      />
      <Stat
        name="Subscription fee"
        value={
          <Money
            cents={subscription.plan_amount_cents}
            currency={subscription.plan_amount_currency}
            isZeroPlain
          />
        }
        detail={`${priceWords(subscription.plan).split(",")[0]}, ${subscription.plan.pay_in_advance ? "in advance" : "in arrears"}`}
      />
    </Stats>
  );
}

function Terms({ subscription, zone }: { subscription: Detailed; zone: string }) {
  const customer = useCustomer(subscription.external_customer_id).data?.customer;
  const entities = useEntities().data?.billing_entities;
  const {
    external_customer_id: owner,
    current_billing_period_started_at: from,
    current_billing_period_ending_at: to,
  } = subscription;
  return (
    <Facts
      facts={[
        [
          "Customer",
          <Link key="customer" className="link" to={paths.customers.show(owner)}>
            {customer ? nameOf(customer) : owner}
          </Link>,
        ],
        ["Plan", <PlanLink key="plan" code={subscription.plan_code} name={subscription.plan.name} />],
        [
          "Billed by",
          entities?.find((one) => one.code === subscription.billing_entity_code)?.name ??
            subscription.billing_entity_code,
        ],
        ["Starts", <Moment key="start" value={subscription.subscription_at} zone={zone} />],
        ["Started", <Moment key="started" value={subscription.started_at} zone={zone} />],
        [
          "Ends",
          <Moment key="end" value={subscription.terminated_at ?? subscription.ending_at} zone={zone} />,
        ],
        [
          "Billing time",
          subscription.billing_time === "calendar"
            ? "By the calendar: periods begin on the first"
            : "By anniversary: periods begin on the day of the start",
        ],
        [
          "Current period",
          from && to && (
            <span key="period">
              <Day value={from} zone={zone} /> to <Day value={to} zone={zone} />
            </span>
          ),
        ],
        [
          "Trial ended",
          subscription.trial_ended_at && <Day value={subscription.trial_ended_at} zone={zone} />,
        ],
        ["PO number", subscription.purchase_order_number],
        ["Invoices", subscription.consolidate_invoice ? "Together with the customer's others" : "On its own"],
        ["Paid by", <PaidBy key="paid" by={subscription.payment_method} customer={owner} />],
        ["Tallymark ID", <Copy key="id" text={subscription.lago_id} what="ID" />],
      ]}
    />
  );
}
