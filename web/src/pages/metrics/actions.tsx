/** What can be done with a metric, from its row and from its page. */
import { useQuery } from "@tanstack/react-query";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countWords } from "@/lib/words";
import { CatalogActions, Deletion, type Place, useRemoval } from "@/pages/catalog/actions";
import type { Metric } from "./metric";

interface Props extends Place {
  metric: Metric;
}

export function MetricActions({ metric, ...place }: Props) {
  const can = useCan();
  return (
    <CatalogActions
      what="metric"
      name={metric.name}
      id={metric.lago_id}
      update={can("billable_metrics:update") && paths.metrics.update(metric.code)}
      duplicate={can("billable_metrics:create") && paths.metrics.duplicate(metric.code)}
      deletion={
        can("billable_metrics:delete") &&
        ((close) => <DeleteMetric metric={metric} onClose={close} isOnPage={place.isOnPage} />)
      }
      {...place}
    />
  );
}

function DeleteMetric({ metric, onClose, isOnPage }: Props & { onClose: () => void }) {
  const params = { path: { code: metric.code } };
  const counted = useQuery(read("/app/v1/consequences/billable_metrics/{code}", { params }));
  const removal = useRemoval({
    done: "Metric deleted",
    own: "/api/v1/billable_metrics",
    others: ["/api/v1/plans"],
    list: paths.metrics.list(),
    isOnPage,
    onClose,
  });
  const remove = useChange("delete", "/api/v1/billable_metrics/{code}", removal);
  return (
    <Deletion
      what="metric"
      name={metric.name}
      counted={counted}
      otherwise="Charges on it go with it. Events are kept."
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params })}
    >
      {({ consequences }) => <Consequence {...consequences} />}
    </Deletion>
  );
}

function Consequence(found: Schema<"MetricDeletionOutput">) {
  if (found.charges_count === 0) return <p>No plan charges for it. Its events are kept.</p>;
  return (
    <p>
      <b>{countWords(found.charges_count, "charge")}</b> on <b>{countWords(found.plans_count, "plan")}</b> go
      with it, which touches <b>{countWords(found.active_subscriptions_count, "active subscription")}</b>,{" "}
      <b>{countWords(found.draft_invoices_count, "draft invoice")}</b> and{" "}
      {countWords(found.alerts_count, "alert")}. Events are kept, and what was billed stays.
    </p>
  );
}
