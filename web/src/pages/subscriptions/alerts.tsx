import { useQuery } from "@tanstack/react-query";
import { read, type Schema, useChange } from "@/api/client";
import { withoutOne } from "@/api/foresight";
import { useCan } from "@/app/session";
import { Alerts, type Watched } from "@/pages/alerts/alerts";
import type { TabProps } from "./page";
import { type Detailed, inStatus } from "./reads";

const TYPES: Record<string, string> = {
  current_usage_amount: "Amount of the current period",
  billable_metric_current_usage_amount: "Amount of a metric in the current period",
  billable_metric_current_usage_units: "Units of a metric in the current period",
  lifetime_usage_amount: "Amount since the start",
  billable_metric_lifetime_usage_units: "Units of a metric since the start",
};

/** What one is told of while usage grows. */
export function UsageAlerts({ subscription }: TabProps) {
  const can = useCan();
  return (
    <Alerts
      watched={useWatched(subscription)}
      types={TYPES}
      currency={subscription.plan.amount_currency}
      mayChange={can("subscriptions:update")}
      about="An alert sends a webhook as soon as usage reaches one of its thresholds."
    />
  );
}

const LIST = "/api/v1/subscriptions/{external_id}/alerts";
const ONE = "/api/v1/subscriptions/{external_id}/alerts/{code}";

function useWatched(subscription: Detailed): Watched {
  const path = { external_id: subscription.external_id };
  const query = inStatus(subscription);
  const alerts = useQuery(read(LIST, { params: { path, query: { ...query, per_page: "100" } } }));
  const saved = { done: "Alert saved", isQuiet: true, touches: [LIST] };
  const create = useChange("post", LIST, saved);
  const update = useChange("put", ONE, saved);
  const remove = useChange("delete", ONE, {
    done: "Alert deleted",
    touches: [LIST],
    foresees: withoutOne(
      LIST,
      "alerts",
      (one: Schema<"AlertOutput">, { params }) =>
        one.external_subscription_id === subscription.external_id && one.code === params.path.code,
    ),
  });
  return {
    alerts,
    create: (alert, settled) => create.mutate({ params: { path, query }, body: { alert } } as never, settled),
    update: (code, alert, settled) =>
      update.mutate({ params: { path: { ...path, code }, query }, body: { alert } } as never, settled),
    remove: (code) => remove.mutate({ params: { path: { ...path, code }, query } }),
    isBusy: create.isPending || update.isPending,
  };
}
