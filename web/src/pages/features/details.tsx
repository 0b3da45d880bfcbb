import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { CatalogDetails } from "@/pages/catalog/details";
import { Day } from "@/ui/amounts";
import { Facts, Section } from "@/ui/basics";
import { Table } from "@/ui/table";
import { FeatureActions } from "./actions";
import { usePlansWith } from "./uses";

export function FeatureDetails() {
  const { id, tab } = useParams({ strict: false }) as { id: string; tab: string };
  const feature = useQuery(read("/app/v1/features/{code}", { params: { path: { code: id } } }));
  const plans = usePlansWith(id);
  return (
    <CatalogDetails
      what="Feature"
      list={{ label: "Features", href: paths.features.list() }}
      query={feature}
      thingOf={(answer) => answer.feature}
      tab={tab}
      hrefOf={(of) => paths.features.show(id, of)}
      edit={{ right: "features:update", hrefOf: paths.features.update }}
      menu={(shown, trigger) => <FeatureActions feature={shown} isOnPage trigger={trigger} />}
    >
      {(shown) => <Overview feature={shown} plans={plans} />}
    </CatalogDetails>
  );
}

interface OverviewProps {
  feature: Schema<"FeatureOutput">;
  plans: readonly Schema<"PlanListOutput">[] | undefined;
}

function Overview({ feature, plans }: OverviewProps) {
  const can = useCan();
  return (
    <>
      <Section title="Privileges">
        {feature.privileges.length === 0 ? (
          <p className="dim">None. A plan grants the feature or does not.</p>
        ) : (
          <Table
            label="Privileges"
            rows={feature.privileges}
            keyOf={({ code }) => code}
            columns={[
              { head: "Privilege", fold: "f1", cell: (one) => one.name || one.code },
              { head: "Code", fold: "f3", cell: (one) => <span className="id">{one.code}</span> },
              { head: "Value", fold: "f2", cell: valueWords },
            ]}
          />
        )}
      </Section>
      {can("plans:view") && (
        <Section title="Plans that grant it">
          {plans?.length === 0 ? (
            <p className="dim">None yet. It is granted in the editor of a plan.</p>
          ) : (
            <Table
              label="Plans that grant it"
              rows={plans}
              skeletonRows={2}
              keyOf={({ lago_id }) => lago_id}
              hrefOf={({ code }) => paths.plans.show(code)}
              columns={[
                { head: "Plan", fold: "f1", cell: (plan) => plan.name },
                { head: "Grants", fold: "f3", cell: (plan) => grantWords(plan, feature.code) },
              ]}
            />
          )}
        </Section>
      )}
      <Section title="Settings">
        <Facts
          facts={[
            ["Description", feature.description],
            ["Created", <Day key="created" value={feature.created_at} />],
          ]}
        />
      </Section>
    </>
  );
}

function valueWords(privilege: Schema<"PrivilegeOutput">): string {
  const options = (privilege.config as { select_options?: string[] }).select_options ?? [];
  const words = { string: "Text", integer: "Whole number", boolean: "Yes or no", select: "One of" };
  return `${words[privilege.value_type]}${options.length > 0 ? ` ${options.join(", ")}` : ""}`;
}

function grantWords(plan: Schema<"PlanListOutput">, code: string): string {
  const grant = plan.entitlements.find((one) => one.code === code);
  const words = (grant?.privileges ?? []).map(
    ({ name, code: privilege, value }) =>
      `${name || privilege}: ${value === true ? "yes" : value === false ? "no" : value}`,
  );
  return words.join(" · ") || "the feature";
}
