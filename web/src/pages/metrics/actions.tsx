/** What can be done with a metric, from its row and from its page. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Copy as CopyIcon, Files, Pencil, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { notify } from "@/ui/toasts";
import type { Metric } from "./metric";
import { countUses, plansOn, useSubscriptionCounts } from "./uses";

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
  const plans = useQuery(plansOn());
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
      {plans.data ? (
        <Consequence uses={countUses(plans.data.plans, metric.code)} />
      ) : (
        <p>Counting its uses …</p>
      )}
    </Confirm>
  );
}

function Consequence({ uses }: { uses: ReturnType<typeof countUses> }) {
  const subscriptions = useSubscriptionCounts(uses.plans);
  if (uses.plans.length === 0) return <p>No plan charges for it. Its events are kept.</p>;
  const counted = uses.plans.map(subscriptions);
  const total = counted.every((one) => one !== undefined)
    ? counted.reduce((sum, one) => sum + (one ?? 0), 0)
    : undefined;
  return (
    <p>
      <b>{count(uses.charges, "charge")}</b> on <b>{count(uses.plans.length, "plan")}</b> go with it
      {total !== undefined && (
        <>
          , and <b>{count(total, "active subscription")}</b> are not billed for it any more
        </>
      )}
      . Drafts are computed anew; events are kept, and what was billed stays.
    </p>
  );
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString()} ${noun}${number === 1 ? "" : "s"}`;
}
