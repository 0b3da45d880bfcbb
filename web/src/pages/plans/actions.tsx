/** What can be done with a plan, from its row and from its page. */
import { useQuery } from "@tanstack/react-query";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countWords } from "@/lib/words";
import { CatalogActions, Deletion, type Place, useRemoval } from "@/pages/catalog/actions";

interface Props extends Place {
  plan: { lago_id: string; code: string; name: string };
}

export function PlanActions({ plan, ...place }: Props) {
  const can = useCan();
  return (
    <CatalogActions
      what="plan"
      name={plan.name}
      id={plan.lago_id}
      update={can("plans:update") && paths.plans.update(plan.code)}
      duplicate={can("plans:create") && paths.plans.duplicate(plan.code)}
      deletion={
        can("plans:delete") &&
        ((close) => <DeletePlan plan={plan} onClose={close} isOnPage={place.isOnPage} />)
      }
      {...place}
    />
  );
}

function DeletePlan({ plan, onClose, isOnPage }: Props & { onClose: () => void }) {
  const params = { path: { code: plan.code } };
  const counted = useQuery(read("/app/v1/consequences/plans/{code}", { params }));
  const removal = useRemoval({
    done: "Plan is being deleted",
    own: "/api/v1/plans",
    list: paths.plans.list(),
    isOnPage,
    onClose,
  });
  const remove = useChange("delete", "/api/v1/plans/{code}", removal);
  return (
    <Deletion
      what="plan"
      name={plan.name}
      counted={counted}
      otherwise="Its subscriptions end with it. What was billed stays."
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params })}
    >
      {({ consequences }) => <Consequence {...consequences} />}
    </Deletion>
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
