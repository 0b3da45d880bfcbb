import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Ellipsis, Pencil } from "lucide-react";
import { type ComponentType, useEffect } from "react";
import { read } from "@/api/client";
import { ApiError } from "@/api/errors";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { Timeline } from "@/app/timeline";
import { nameOf } from "@/pages/customers/customer";
import { useCustomer, useEntities, usePlans } from "@/pages/customers/reads";
import { SubscriptionStatus } from "@/pages/customers/subscription-table";
import { UsageTable } from "@/pages/customers/usage-table";
import { UsagePanel, useWhy } from "@/pages/customers/usage-why";
import { Button, buttonClass, Copy } from "@/ui/basics";
import { ActionMenu } from "@/ui/overlays";
import { Page, PageHead, Tabs } from "@/ui/page";
import { Loaded, Missing } from "@/ui/states";
import { UsageAlerts } from "./alerts";
import { Entitlements } from "./entitlements";
import { LifetimeUsage } from "./lifetime";
import { changesOf, isLive } from "./list";
import { Overview } from "./overview";
import { Pricing } from "./plan";
import { type Detailed, EVERY_STATUS, useSubscription } from "./reads";
import { EndSubscription } from "./terminate";
import { Thresholds } from "./thresholds";
import "@/pages/customers/customers.css";
import { useOpened } from "@/ui/opened";

export interface TabProps {
  subscription: Detailed;
  zone: string;
}

const TABS: Record<string, ComponentType<TabProps>> = {
  overview: Overview,
  plan: Pricing,
  "progressive-billing": Thresholds,
  entitlements: Entitlements,
  usage: ({ subscription, zone }) => (
    <div className="tab-body">
      <UsageTable
        customer={subscription.external_customer_id}
        subscription={subscription.external_id}
        zone={zone}
      />
      <LifetimeUsage subscription={subscription} zone={zone} />
    </div>
  ),
  alerts: UsageAlerts,
  activity: ({ subscription, zone }) => (
    <Timeline whose={{ external_subscription_id: subscription.external_id }} zone={zone} />
  ),
};

export function SubscriptionPage() {
  const {
    customer: owner,
    id,
    tab,
  } = useParams({ strict: false }) as Record<"customer" | "id" | "tab", string>;
  const { status } = useSearch({ strict: false }) as { status?: string };
  const { isAsked } = useWhy();
  const navigate = useNavigate();
  const subscription = useSubscription(id, status);
  const customer = useCustomer(owner);
  const others = useQuery(
    read("/api/v1/customers/{external_customer_id}/subscriptions", {
      params: {
        path: { external_customer_id: owner },
        query: { external_id: id, "status[]": EVERY_STATUS },
      },
    }),
  );
  usePlans();
  useEntities();
  const isGone = subscription.error instanceof ApiError && subscription.error.status === 404;
  const other = others.data?.subscriptions[0];
  const found = isGone && !status ? other?.status : undefined;
  useEffect(() => {
    if (found) void navigate({ to: ".", search: { status: found } as never, replace: true });
  }, [found, navigate]);
  const owned = customer.data?.customer;
  const known = subscription.data?.subscription;
  return (
    <Page
      title={known ? known.name || known.plan.name : "Subscription"}
      crumbs={[
        { label: "Customers", href: paths.customers.list() },
        { label: owned ? nameOf(owned) : owner, href: paths.customers.show(owner) },
      ]}
      panel={
        known &&
        isAsked &&
        (tab === "overview" || tab === "usage") && <UsagePanel customer={owner} subscriptions={[known]} />
      }
    >
      <Loaded query={subscription} what="Subscription">
        {({ subscription: found }) => (
          <Details subscription={found} zone={owned?.applicable_timezone ?? "UTC"} tab={tab} />
        )}
      </Loaded>
    </Page>
  );
}

function Details({ subscription, zone, tab }: TabProps & { tab: string }) {
  const can = useCan();
  const Body = TABS[tab];
  const query = subscription.status === "active" ? "" : `?status=${subscription.status}`;
  const at = (one: string) =>
    paths.subscriptions.show(subscription.external_customer_id, subscription.external_id, one) + query;
  const isRunning = subscription.status === "active";
  return (
    <>
      <PageHead
        title={subscription.name || subscription.plan.name}
        status={
          <>
            <SubscriptionStatus subscription={subscription} zone={zone} />
            {subscription.plan.parent_id && <span className="tag accent">Prices overridden</span>}
          </>
        }
        sub={<Copy text={subscription.external_id} what="external ID" />}
        actions={<Actions subscription={subscription} />}
      />
      <Tabs
        label="Subscription"
        tabs={[
          { label: "Overview", href: at("overview") },
          { label: "Plan", href: at("plan") },
          { label: "Progressive billing", href: at("progressive-billing") },
          { label: "Entitlements", href: at("entitlements") },
          { label: "Usage", href: at("usage"), isShown: isRunning },
          { label: "Alerts", href: at("alerts"), isShown: isRunning },
          { label: "Activity", href: at("activity"), isShown: can("audit_logs:view") },
        ]}
      />
      {Body ? <Body subscription={subscription} zone={zone} /> : <Missing what="Page" />}
    </>
  );
}

function Actions({ subscription }: { subscription: Detailed }) {
  const can = useCan();
  const navigate = useNavigate();
  const mayChange = isLive(subscription) && can("subscriptions:update");
  const [isEnding, setEnding] = useOpened("end", mayChange);
  const query = subscription.status === "active" ? "" : `?status=${subscription.status}`;
  return (
    <>
      {mayChange && (
        <Link className={buttonClass()} to={paths.subscriptions.update(subscription.external_id) + query}>
          <Pencil className="i" aria-hidden="true" />
          Edit
        </Link>
      )}
      <ActionMenu
        label="More for this subscription"
        trigger={
          <Button isIcon aria-label="More for this subscription">
            <Ellipsis className="i" aria-hidden="true" />
          </Button>
        }
        actions={changesOf(
          subscription,
          can,
          (to) => void navigate({ to }),
          () => setEnding(true),
        )}
      />
      {isEnding && <EndSubscription subscription={subscription} onClose={() => setEnding(false)} />}
    </>
  );
}
