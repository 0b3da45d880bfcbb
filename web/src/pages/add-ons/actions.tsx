/** What can be done with an add-on, from its row and from its page. */
import { useQuery } from "@tanstack/react-query";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countWords } from "@/lib/words";
import { CatalogActions, Deletion, type Place, useRemoval } from "@/pages/catalog/actions";

interface Props extends Place {
  addOn: Schema<"AddOnOutput">;
}

export function AddOnActions({ addOn, ...place }: Props) {
  const can = useCan();
  return (
    <CatalogActions
      what="add-on"
      name={addOn.name}
      id={addOn.lago_id}
      update={can("addons:update") && paths.addOns.update(addOn.code)}
      deletion={
        can("addons:delete") &&
        ((close) => <DeleteAddOn addOn={addOn} onClose={close} isOnPage={place.isOnPage} />)
      }
      {...place}
    />
  );
}

function DeleteAddOn({ addOn, onClose, isOnPage }: Props & { onClose: () => void }) {
  const params = { path: { code: addOn.code } };
  const counted = useQuery(read("/app/v1/consequences/add_ons/{code}", { params }));
  const removal = useRemoval({
    done: "Add-on deleted",
    own: "/api/v1/add_ons",
    others: ["/api/v1/plans"],
    list: paths.addOns.list(),
    isOnPage,
    onClose,
  });
  const remove = useChange("delete", "/api/v1/add_ons/{code}", removal);
  return (
    <Deletion
      what="add-on"
      name={addOn.name}
      counted={counted}
      otherwise="Fixed charges on it go with it; what was billed stays."
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params })}
    >
      {({ consequences }) => <Consequence {...consequences} />}
    </Deletion>
  );
}

function Consequence(found: Schema<"AddOnDeletionOutput">) {
  if (found.fixed_charges_count === 0) return <p>No plan charges for it. What was billed stays.</p>;
  return (
    <p>
      <b>{countWords(found.fixed_charges_count, "fixed charge")}</b> on{" "}
      <b>{countWords(found.plans_count, "plan")}</b> go with it, which touches{" "}
      <b>{countWords(found.active_subscriptions_count, "active subscription")}</b>. What was billed stays.
    </p>
  );
}
