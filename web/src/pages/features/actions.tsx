/** What can be done with a feature, from its row and from its page. */
import { type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countWords } from "@/lib/words";
import { CatalogActions, Deletion, type Place, useRemoval } from "@/pages/catalog/actions";
import { useUses } from "@/pages/catalog/uses";
import { usePlansWith } from "./uses";

interface Props extends Place {
  feature: Schema<"FeatureOutput">;
}

export function FeatureActions({ feature, ...place }: Props) {
  const can = useCan();
  return (
    <CatalogActions
      what="feature"
      name={feature.name || feature.code}
      update={can("features:update") && paths.features.update(feature.code)}
      deletion={
        can("features:delete") &&
        ((close) => <DeleteFeature feature={feature} onClose={close} isOnPage={place.isOnPage} />)
      }
      {...place}
    />
  );
}

function DeleteFeature({ feature, onClose, isOnPage }: Props & { onClose: () => void }) {
  const can = useCan();
  const plans = usePlansWith(feature.code);
  const subscriptions = useUses("features", [feature.code])(feature.code);
  const removal = useRemoval({
    done: "Feature deleted",
    own: "/api/v1/features",
    others: ["/api/v1/plans"],
    list: paths.features.list(),
    isOnPage,
    onClose,
  });
  const remove = useChange("delete", "/api/v1/features/{code}", removal);
  return (
    <Deletion
      what="feature"
      name={feature.name || feature.code}
      counted={{ data: plans && { plans }, error: can("plans:view") ? null : "not to be seen" }}
      otherwise="Plans and subscriptions do not grant it any more. Nothing that is billed changes."
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params: { path: { code: feature.code } } })}
    >
      {({ plans: granting }) => (
        <p>
          {granting.length === 0 ? (
            "No plan grants it. "
          ) : (
            <>
              <b>{countWords(granting.length, "plan")}</b> {granting.length === 1 ? "does" : "do"} not grant
              it any more.{" "}
            </>
          )}
          {subscriptions !== undefined && subscriptions > 0 && (
            <>
              <b>{countWords(subscriptions, "active subscription")}</b>{" "}
              {subscriptions === 1 ? "loses" : "lose"} it.{" "}
            </>
          )}
          Nothing that is billed changes.
        </p>
      )}
    </Deletion>
  );
}
