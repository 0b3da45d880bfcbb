/** What can be done with a metric, from its row and from its page. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Copy as CopyIcon, Files, Pencil, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countWords } from "@/lib/words";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { notify } from "@/ui/toasts";
import type { Metric } from "./metric";

export function MetricActions({
  metric,
  trigger,
  isOnPage,
}: {
  metric: Metric;
  trigger?: ReactNode;
  isOnPage?: boolean;
}) {
  const can = useCan();
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  return (
    <>
      <ActionMenu
        label={`Actions of ${metric.name}`}
        trigger={trigger}
        actions={[
          {
            label: "Edit metric",
            icon: <Pencil className="i" aria-hidden="true" />,
            onSelect: () => void navigate({ to: paths.metrics.update(metric.code) }),
            isShown: can("billable_metrics:update") && !isOnPage,
          },
          {
            label: "Duplicate",
            icon: <Files className="i" aria-hidden="true" />,
            onSelect: () => void navigate({ to: paths.metrics.duplicate(metric.code) }),
            isShown: can("billable_metrics:create"),
          },
          {
            label: "Copy ID",
            icon: <CopyIcon className="i" aria-hidden="true" />,
            onSelect: () => {
              void navigator.clipboard.writeText(metric.lago_id);
              notify.copied("the ID");
            },
          },
          {
            label: "Delete metric",
            icon: <Trash2 className="i" aria-hidden="true" />,
            onSelect: () => setDeleting(true),
            isDanger: true,
            isShown: can("billable_metrics:delete"),
          },
        ]}
      />
      {isDeleting && <DeleteMetric metric={metric} onClose={() => setDeleting(false)} isOnPage={isOnPage} />}
    </>
  );
}

function DeleteMetric({
  metric,
  onClose,
  isOnPage,
}: {
  metric: Metric;
  onClose: () => void;
  isOnPage?: boolean;
}) {
  const navigate = useNavigate();
  const counted = useQuery(
    read("/app/v1/consequences/billable_metrics/{code}", { params: { path: { code: metric.code } } }),
  );
  const remove = useChange("delete", "/api/v1/billable_metrics/{code}", {
    done: "Metric deleted",
    touches: isOnPage ? ["/api/v1/plans"] : ["/api/v1/billable_metrics", "/api/v1/plans"],
    onDone: () => {
      onClose();
      if (isOnPage) void navigate({ to: paths.metrics.list() });
    },
  });
  return (
    <Confirm
      isOpen
      title={`Delete the metric “${metric.name}”?`}
      verb="Delete metric"
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params: { path: { code: metric.code } } })}
    >
      {counted.data ? (
        <Consequence {...counted.data.consequences} />
      ) : (
        <p>{counted.error ? "Charges on it go with it. Events are kept." : "Counting what it touches …"}</p>
      )}
    </Confirm>
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
