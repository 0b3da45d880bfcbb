import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { Timeline } from "@/app/timeline";
import { Day } from "@/ui/amounts";
import { Button, buttonClass, Copy, Facts, Section } from "@/ui/basics";
import { Page, PageHead, Tabs } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { Table } from "@/ui/table";
import { FeatureActions } from "./actions";
import { usePlansWith } from "./uses";

export function FeatureDetails() {
  const { id, tab } = useParams({ strict: false }) as { id: string; tab: string };
  const can = useCan();
  const feature = useQuery(read("/app/v1/features/{code}", { params: { path: { code: id } } }));
  const plans = usePlansWith(id);
  const title = feature.data ? feature.data.feature.name || feature.data.feature.code : "Feature";
  return (
    <Page title={title} crumbs={[{ label: "Features", href: paths.features.list() }]}>
      <Loaded query={feature} what="Feature">
        {({ feature: shown }) => (
          <>
            <PageHead
              title={title}
              sub={<Copy text={shown.code} what="code" />}
              actions={
                <>
                  {can("features:update") && (
                    <Link to={paths.features.update(shown.code)} className={buttonClass()}>
                      Edit feature
                    </Link>
                  )}
                  <FeatureActions feature={shown} isOnPage trigger={<Button>More</Button>} />
                </>
              }
            />
            <Tabs
              label="Feature"
              tabs={[
                { label: "Overview", href: paths.features.show(id) },
                {
                  label: "Activity",
                  href: paths.features.show(id, "activity"),
                  isShown: can("audit_logs:view"),
                },
              ]}
            />
            {tab === "activity" ? (
              <Timeline whose={{ resource_ids: [shown.lago_id] }} />
            ) : (
              <Overview feature={shown} plans={plans} />
            )}
          </>
        )}
      </Loaded>
    </Page>
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
