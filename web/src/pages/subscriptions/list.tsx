import { useNavigate } from "@tanstack/react-router";
import { Bell, CalendarX, Copy, Pencil, Repeat2 } from "lucide-react";
import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { CreateButton } from "@/app/shell";
import { useEntities, usePlans } from "@/pages/customers/reads";
import { priceWords, SubscriptionStatus } from "@/pages/customers/subscription-table";
import { Day, Money } from "@/ui/amounts";
import { List, useListState, useRows } from "@/ui/list";
import { useOpenedRow } from "@/ui/opened";
import { ActionMenu } from "@/ui/overlays";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";
import { notify } from "@/ui/toasts";
import { EVERY_STATUS, hrefOfSubscription } from "./reads";
import { EndSubscription } from "./terminate";

type Subscription = Schema<"ListedSubscriptionOutput">;

export function Subscriptions() {
  const can = useCan();
  const navigate = useNavigate();
  const list = useListState();
  const plans = usePlans().data?.plans;
  const entities = useEntities().data?.billing_entities ?? [];
  const { "status[]": status, ...filters } = list.filters;
  const query = {
    "status[]": status === "all" ? EVERY_STATUS : status ? [status] : ["active", "pending", "incomplete"],
    ...list.sought,
    ...filters,
  };
  const subscriptions = useRows(list, (asked) =>
    read("/api/v1/subscriptions", { params: { query: { ...query, ...asked } as never } }),
  );
  const [ended, setEnded] = useOpenedRow(
    "end",
    subscriptions.pages.flatMap((page) => page.subscriptions).filter(isLive),
    (one) => one.lago_id,
    can("subscriptions:update"),
  );
  const planOf = (one: Subscription) => plans?.find((plan) => plan.code === one.plan_code);
  const create = can("subscriptions:create") && (
    <CreateButton href={paths.subscriptions.create()}>New subscription</CreateButton>
  );
  return (
    <Page title="Subscriptions" actions={create}>
      <List
        what="subscriptions"
        controls={list}
        query={subscriptions}
        rowsOf={(page) => page.subscriptions}
        keyOf={(one) => one.lago_id}
        hrefOf={(one) => hrefOfSubscription(one)}
        isTall
        searchHint="Name, external ID or customer"
        quickFilters={[
          { label: "Running", filters: {} },
          { label: "To come", filters: { "status[]": "pending" } },
          { label: "Ended", filters: { "status[]": "terminated" } },
          { label: "All", filters: { "status[]": "all" } },
        ]}
        filters={[
          {
            key: "status[]",
            label: "Status",
            options: [
              { value: "active", label: "Active" },
              { value: "pending", label: "Pending" },
              { value: "incomplete", label: "Incomplete" },
              { value: "canceled", label: "Canceled" },
              { value: "terminated", label: "Terminated" },
              { value: "all", label: "All" },
            ],
          },
          {
            key: "plan_code",
            label: "Plan",
            options: (plans ?? []).map((plan) => ({ value: plan.code, label: plan.name })),
          },
          { key: "external_customer_id", label: "Customer’s external ID" },
          { key: "external_id", label: "External ID" },
          { key: "currency", label: "Currency" },
          {
            key: "overridden",
            label: "Prices",
            options: [
              { value: "true", label: "Overridden" },
              { value: "false", label: "As in the plan" },
            ],
          },
          {
            key: "billing_entity_codes[]",
            label: "Entity",
            options: entities.map((entity) => ({ value: entity.code, label: entity.name })),
          },
        ]}
        columns={[
          {
            head: "Subscription",
            fold: "f1",
            cell: (one) => (
              <>
                <b className="med">{one.name || planOf(one)?.name || one.plan_code}</b>
                <span className="sub id">{one.external_id}</span>
              </>
            ),
          },
          { head: "Status", fold: "f4", cell: (one) => <SubscriptionStatus subscription={one} /> },
          {
            head: "Customer",
            fold: "f3",
            cell: (one) => (
              <>
                {one.customer_name}
                <span className="sub id only-wide">{one.external_customer_id}</span>
              </>
            ),
          },
          {
            head: "Price",
            fold: "f2",
            cell: (one) => (
              <>
                <Money cents={one.plan_amount_cents} currency={one.plan_amount_currency} isZeroPlain />{" "}
                <span className="only-wide">{priceWords(planOf(one))}</span>
                {one.has_own_prices && <span className="sub">prices of its own</span>}
              </>
            ),
          },
          { head: "Entity", isLow: true, cell: (one) => entityName(one, entities) },
          {
            head: "Start",
            isLow: true,
            cell: (one) => <Day value={one.started_at ?? one.subscription_at} />,
          },
          { head: "End", isLow: true, cell: (one) => <Day value={one.terminated_at ?? one.ending_at} /> },
        ]}
        actions={(one) => (
          <ActionMenu
            label={`More for ${one.external_id}`}
            actions={[
              {
                label: "Copy external ID",
                icon: <Copy className="i" aria-hidden="true" />,
                onSelect: () => {
                  void navigator.clipboard.writeText(one.external_id);
                  notify.copied(one.external_id);
                },
              },
              {
                label: "Alerts",
                icon: <Bell className="i" aria-hidden="true" />,
                onSelect: () => void navigate({ to: hrefOfSubscription(one, "alerts") }),
                isShown: one.status === "active",
              },
              ...changesOf(
                one,
                can,
                (to) => void navigate({ to }),
                () => setEnded(one),
              ),
            ]}
          />
        )}
        empty={
          <Empty title="No running subscriptions" actions={create}>
            A subscription puts a customer on a plan; usage is billed from its start.
          </Empty>
        }
      />
      {ended && <EndSubscription subscription={ended} onClose={() => setEnded(null)} />}
    </Page>
  );
}

function entityName(one: Subscription, entities: readonly Schema<"EntityOutput">[]) {
  return entities.find((entity) => entity.code === one.billing_entity_code)?.name ?? one.billing_entity_code;
}

/** Whether it can be changed and ended. */
export function isLive({ status }: Pick<Subscription, "status">): boolean {
  return status === "active" || status === "pending";
}

/** What can be done with a subscription as it stands. */
export function changesOf(
  one: Pick<Subscription, "external_id" | "status">,
  can: ReturnType<typeof useCan>,
  go: (to: string) => void,
  end: () => void,
) {
  const isRunning = isLive(one);
  const query = one.status === "active" ? "" : `?status=${one.status}`;
  return [
    {
      label: "Edit subscription",
      icon: <Pencil className="i" aria-hidden="true" />,
      onSelect: () => go(paths.subscriptions.update(one.external_id) + query),
      isShown: isRunning && can("subscriptions:update"),
    },
    {
      label: "Change plan",
      icon: <Repeat2 className="i" aria-hidden="true" />,
      onSelect: () => go(paths.subscriptions.change(one.external_id) + query),
      isShown: isRunning && can("subscriptions:update"),
    },
    {
      label: one.status === "pending" ? "Cancel subscription" : "Terminate subscription",
      icon: <CalendarX className="i" aria-hidden="true" />,
      onSelect: end,
      isDanger: true,
      isShown: isRunning && can("subscriptions:update"),
    },
  ];
}
