/** Subscriptions of a customer: what they cost, where they are in their period, and what they bill next. */

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useNow } from "@/app/session";
import { day, daysBetween, isoDay } from "@/lib/dates";
import { money } from "@/lib/money";
import { Money } from "@/ui/amounts";
import { Meter } from "@/ui/basics";
import { Status } from "@/ui/status";
import { Table } from "@/ui/table";
import type { Subscription } from "./customer";
import type { Usages } from "./overview";

type Plan = Schema<"PlanListOutput">;

interface Props {
  subscriptions: readonly Subscription[];
  plans: readonly Plan[] | undefined;
  usages: Usages;
  zone: string;
  empty: ReactNode;
}

export function SubscriptionTable({ subscriptions, plans, usages, zone, empty }: Props) {
  if (subscriptions.length === 0) return empty;
  const planOf = (one: Subscription) => plans?.find((plan) => plan.code === one.plan_code);
  return (
    <Table
      label="Subscriptions"
      isTall
      rows={subscriptions}
      keyOf={(one) => one.lago_id}
      hrefOf={(one) => paths.subscriptions.show(one.external_customer_id, one.external_id)}
      columns={[
        {
          head: "Plan",
          fold: "f1",
          cell: (one) => (
            <>
              <b className="med">{one.name || planOf(one)?.name || one.plan_code}</b>
              <span className="sub id">{one.external_id}</span>
            </>
          ),
        },
        {
          head: "Status",
          fold: "f2",
          cell: (one) => (
            <>
              <SubscriptionStatus subscription={one} zone={zone} />
              {one.status === "active" && one.started_at && (
                <span className="sub">since {day(one.started_at, zone)}</span>
              )}
            </>
          ),
        },
        {
          head: "Price",
          fold: "f3",
          cell: (one) => (
            <>
              <Money cents={one.plan_amount_cents} currency={one.plan_amount_currency} isZeroPlain />{" "}
              {priceWords(planOf(one))}
              {one.has_own_prices && <span className="sub">prices of its own</span>}
              {one.next_plan_code && (
                <span className="sub">
                  {plans?.find((plan) => plan.code === one.next_plan_code)?.name ?? one.next_plan_code}{" "}
                  {one.downgrade_plan_date ? `from ${day(one.downgrade_plan_date, zone)}` : "next"}
                </span>
              )}
            </>
          ),
        },
        { head: "Period", isLow: true, cell: (one) => <Period subscription={one} zone={zone} /> },
        {
          head: "Next invoice",
          isNumber: true,
          fold: "f4",
          cell: (one) => <NextInvoice subscription={one} plan={planOf(one)} usages={usages} zone={zone} />,
        },
      ]}
    />
  );
}

type Standing = Pick<Subscription, "status" | "previous_plan_code" | "subscription_at" | "ending_at">;

/** Active and the like; a beginning that is to come with its day. */
export function SubscriptionStatus({ subscription, zone }: { subscription: Standing; zone?: string }) {
  if (subscription.status === "pending" && !subscription.previous_plan_code) {
    return <Status status="pending" word={`Starts ${day(subscription.subscription_at, zone)}`} />;
  }
  if (subscription.status === "active" && subscription.ending_at) {
    return <Status status="active" word={`Ends ${day(subscription.ending_at, zone)}`} />;
  }
  return <Status status={subscription.status} />;
}

const EVERY: Record<string, string> = {
  weekly: "a week",
  monthly: "a month",
  quarterly: "a quarter",
  semiannual: "a half-year",
  yearly: "a year",
};

export function priceWords(plan: Plan | undefined): string {
  if (!plan) return "";
  const usage = plan.charges.length > 0 ? ", plus usage" : "";
  const advance = plan.pay_in_advance && !usage ? ", in advance" : "";
  return `${EVERY[plan.interval] ?? ""}${usage}${advance}`;
}

function Period({ subscription, zone }: { subscription: Subscription; zone: string }) {
  const now = new Date(useNow()).toISOString();
  const { current_billing_period_started_at: from, current_billing_period_ending_at: to } = subscription;
  if (!from || !to || subscription.status !== "active") return <span className="dim">–</span>;
  const length = daysBetween(isoDay(from, zone), isoDay(to, zone)) + 1;
  const passed = daysBetween(isoDay(from, zone), isoDay(now, zone)) + 1;
  const words = `Day ${passed.toLocaleString()} of ${length.toLocaleString()}`;
  return (
    <span className="period">
      <Meter share={passed / length} label={words} />
      <span className="small dim">{words}</span>
    </span>
  );
}

interface NextProps {
  subscription: Subscription;
  plan: Plan | undefined;
  usages: Usages;
  zone: string;
}

function NextInvoice({ subscription, plan, usages, zone }: NextProps) {
  const { status, current_billing_period_ending_at: to } = subscription;
  if (status === "pending") return <span className="num">{day(subscription.subscription_at, zone)}</span>;
  if (status !== "active" || !to) return <span className="dim">–</span>;
  const next = new Date(Date.parse(to) + 1000).toISOString();
  const usage = usages.bySubscription.get(subscription.external_id);
  const about = usage && usage.projected_amount_cents + (plan ? subscription.plan_amount_cents : 0);
  return (
    <>
      <span className="num">{day(next, zone)}</span>
      {about !== undefined && usage && (
        <span className="sub">≈ {money(about, usage.currency)} before tax</span>
      )}
    </>
  );
}

/** The plan's page, for whom may see plans. */
export function PlanLink({ code, name }: { code: string; name: string | undefined }) {
  const can = useCan();
  if (!can("plans:view")) return <>{name ?? code}</>;
  return (
    <Link className="link" to={paths.plans.show(code)}>
      {name ?? code}
    </Link>
  );
}
