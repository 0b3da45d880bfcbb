import { useNavigate } from "@tanstack/react-router";
import { Pencil, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countWords } from "@/lib/words";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { usePlansWith } from "./uses";

interface Props {
  feature: Schema<"FeatureOutput">;
  trigger?: ReactNode;
  isOnPage?: boolean;
}

/** What can be done with a feature, from its row and from its page. */
export function FeatureActions({ feature, trigger, isOnPage }: Props) {
  const can = useCan();
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  const name = feature.name || feature.code;
  return (
    <>
      <ActionMenu
        label={`Actions of ${name}`}
        trigger={trigger}
        actions={[
          {
            label: "Edit feature",
            icon: <Pencil className="i" aria-hidden="true" />,
            onSelect: () => void navigate({ to: paths.features.update(feature.code) }),
            isShown: can("features:update") && !isOnPage,
          },
          {
            label: "Delete feature",
            icon: <Trash2 className="i" aria-hidden="true" />,
            onSelect: () => setDeleting(true),
            isDanger: true,
            isShown: can("features:delete"),
          },
        ]}
      />
      {isDeleting && (
        <DeleteFeature feature={feature} onClose={() => setDeleting(false)} isOnPage={isOnPage} />
      )}
    </>
  );
}

function DeleteFeature({ feature, onClose, isOnPage }: Props & { onClose: () => void }) {
  const navigate = useNavigate();
  const plans = usePlansWith(feature.code);
  const remove = useChange("delete", "/api/v1/features/{code}", {
    done: "Feature deleted",
    touches: isOnPage ? ["/api/v1/plans"] : ["/api/v1/features", "/api/v1/plans"],
    onDone: () => {
      onClose();
      if (isOnPage) void navigate({ to: paths.features.list() });
    },
  });
  return (
    <Confirm
      isOpen
      title={`Delete the feature “${feature.name || feature.code}”?`}
      verb="Delete feature"
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params: { path: { code: feature.code } } })}
    >
      <p>
        {plans?.length === 0 ? (
          "No plan grants it. "
        ) : plans ? (
          <>
            <b>{countWords(plans.length, "plan")}</b> and the subscriptions on{" "}
            {plans.length === 1 ? "it" : "them"} do not grant it any more.{" "}
          </>
        ) : (
          "Plans and subscriptions do not grant it any more. "
        )}
        Nothing that is billed changes.
      </p>
    </Confirm>
  );
}
