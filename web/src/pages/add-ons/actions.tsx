import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Pencil, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countWords } from "@/lib/words";
import { ActionMenu, Confirm } from "@/ui/overlays";

interface Props {
  addOn: Schema<"AddOnOutput">;
  trigger?: ReactNode;
  isOnPage?: boolean;
}

/** What can be done with an add-on, from its row and from its page. */
export function AddOnActions({ addOn, trigger, isOnPage }: Props) {
  const can = useCan();
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  return (
    <>
      <ActionMenu
        label={`Actions of ${addOn.name}`}
        trigger={trigger}
        actions={[
          {
            label: "Edit add-on",
            icon: <Pencil className="i" aria-hidden="true" />,
            onSelect: () => void navigate({ to: paths.addOns.update(addOn.code) }),
            isShown: can("addons:update") && !isOnPage,
          },
          {
            label: "Delete add-on",
            icon: <Trash2 className="i" aria-hidden="true" />,
            onSelect: () => setDeleting(true),
            isDanger: true,
            isShown: can("addons:delete"),
          },
        ]}
      />
      {isDeleting && <DeleteAddOn addOn={addOn} onClose={() => setDeleting(false)} isOnPage={isOnPage} />}
    </>
  );
}

function DeleteAddOn({ addOn, onClose, isOnPage }: Props & { onClose: () => void }) {
  const navigate = useNavigate();
  const params = { path: { code: addOn.code } };
  const counted = useQuery(read("/app/v1/consequences/add_ons/{code}", { params }));
  const remove = useChange("delete", "/api/v1/add_ons/{code}", {
    done: "Add-on deleted",
    touches: isOnPage ? ["/api/v1/plans"] : ["/api/v1/add_ons", "/api/v1/plans"],
    onDone: () => {
      onClose();
      if (isOnPage) void navigate({ to: paths.addOns.list() });
    },
  });
  return (
    <Confirm
      isOpen
      title={`Delete the add-on “${addOn.name}”?`}
      verb="Delete add-on"
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params })}
    >
      {counted.data ? (
        <Consequence {...counted.data.consequences} />
      ) : (
        <p>
          {counted.error
            ? "Fixed charges on it go with it; what was billed stays."
            : "Counting what it touches …"}
        </p>
      )}
    </Confirm>
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
