/** What can be done with a plan, from its row and from its page. */
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

type Named = { lago_id: string; code: string; name: string };

export function PlanActions({
  plan,
  trigger,
  isOnPage,
}: {
  plan: Named;
  trigger?: ReactNode;
  isOnPage?: boolean;
}) {
  const can = useCan();
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  return (
    <>
      <ActionMenu
        label={`Actions of ${plan.name}`}
        trigger={trigger}
        actions={[
          {
            label: "Edit plan",
            icon: <Pencil className="i" aria-hidden="true" />,
            onSelect: () => void navigate({ to: paths.plans.update(plan.code) }),
            isShown: can("plans:update") && !isOnPage,
          },
          {
            label: "Duplicate",
            icon: <Files className="i" aria-hidden="true" />,
            onSelect: () => void navigate({ to: paths.plans.duplicate(plan.code) }),
            isShown: can("plans:create"),
          },
          {
            label: "Copy ID",
            icon: <CopyIcon className="i" aria-hidden="true" />,
            onSelect: () => {
              void navigator.clipboard.writeText(plan.lago_id);
              notify.copied("the ID");
            },
          },
          {
            label: "Delete plan",
            icon: <Trash2 className="i" aria-hidden="true" />,
            onSelect: () => setDeleting(true),
            isDanger: true,
            isShown: can("plans:delete"),
          },
        ]}
      />
      {isDeleting && <DeletePlan plan={plan} onClose={() => setDeleting(false)} isOnPage={isOnPage} />}
    </>
  );
}

function DeletePlan({ plan, onClose, isOnPage }: { plan: Named; onClose: () => void; isOnPage?: boolean }) {
  const navigate = useNavigate();
  const counted = useQuery(
    read("/app/v1/consequences/plans/{code}", { params: { path: { code: plan.code } } }),
  );
  const remove = useChange("delete", "/api/v1/plans/{code}", {
    done: "Plan is being deleted",
    touches: isOnPage ? [] : ["/api/v1/plans"],
    onDone: () => {
      onClose();
      if (isOnPage) void navigate({ to: paths.plans.list() });
    },
  });
  return (
    <Confirm
      isOpen
      title={`Delete the plan “${plan.name}”?`}
      verb="Delete plan"
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params: { path: { code: plan.code } } })}
    >
      {counted.data ? (
        <Consequence {...counted.data.consequences} />
      ) : (
        <p>
          {counted.error
            ? "Its subscriptions end with it. What was billed stays."
            : "Counting what it touches …"}
        </p>
      )}
    </Confirm>
  );
}

function Consequence(found: Schema<"PlanDeletionOutput">) {
  if (found.active_subscriptions_count === 0 && found.pending_subscriptions_count === 0)
    return <p>Nobody is subscribed to it. What it billed stays.</p>;
  return (
    <p>
      <b>{countWords(found.active_subscriptions_count, "active subscription")}</b> of{" "}
      {countWords(found.customers_count, "customer")} and{" "}
      <b>{countWords(found.pending_subscriptions_count, "pending one")}</b> end with it, in the background.{" "}
      <b>{countWords(found.draft_invoices_count, "draft invoice")}</b>{" "}
      {found.draft_invoices_count === 1 ? "is" : "are"} issued at once. What was billed stays.
    </p>
  );
}
