import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { Timeline } from "@/app/timeline";
import { intervalWord } from "@/pages/plans/draft";
import { Day } from "@/ui/amounts";
import { Button, buttonClass, Copy, Facts, Section } from "@/ui/basics";
import { Json } from "@/ui/code";
import { Page, PageHead, Tabs } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { Table } from "@/ui/table";
import { MetricActions } from "./actions";
import { aggregationWord, type Metric, measure, readMetric, roundingWords, sampleEvent } from "./metric";
import { plansOf, plansOn } from "./uses";
import "./metrics.css";

export function MetricDetails() {
  const { id, tab } = useParams({ strict: false }) as { id: string; tab: string };
  const can = useCan();
  const metric = useQuery(read("/api/v1/billable_metrics/{code}", { params: { path: { code: id } } }));
  const showsPlans = can("plans:view") && tab !== "activity";
  const plans = useQuery({ ...plansOn(), enabled: showsPlans });
  return (
    <Page
      title={metric.data?.billable_metric.name ?? "Metric"}
      crumbs={[{ label: "Billable metrics", href: paths.metrics.list() }]}
    >
      <Loaded query={metric} what="Metric">
        {({ billable_metric: shown }) => (
          <>
            <PageHead
              title={shown.name}
              sub={
                <>
                  <Copy text={shown.code} what="code" />
                  <span>{measure(shown)}</span>
                </>
              }
              actions={
                <>
                  {can("billable_metrics:update") && (
                    <Link to={paths.metrics.update(shown.code)} className={buttonClass()}>
                      Edit metric
                    </Link>
                  )}
                  <MetricActions metric={shown} isOnPage trigger={<Button>More</Button>} />
                </>
              }
            />
            <Tabs
              label="Metric"
              tabs={[
                { label: "Overview", href: paths.metrics.show(id) },
                {
                  label: "Activity",
                  href: paths.metrics.show(id, "activity"),
                  isShown: can("audit_logs:view"),
                },
              ]}
            />
            {tab === "activity" ? (
              <Timeline whose={{ resource_ids: [shown.lago_id] }} />
            ) : (
              <Overview
                metric={shown}
                plans={showsPlans ? <Plans metric={shown} page={plans.data} /> : null}
              />
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Overview({ metric, plans }: { metric: Metric; plans: ReactNode }) {
  return (
    <div className="metric-columns">
      <div>
        <Section title="Definition">
          <Facts
            facts={[
              ["Type", metric.recurring ? "Recurring: units carry over into the next period" : "Metered"],
              ["Aggregation", aggregationWord(metric.aggregation_type)],
              ["Field", metric.field_name && <span className="id">{metric.field_name}</span>],
              ["Expression", metric.expression && <code className="mono">{metric.expression}</code>],
              ["Units", roundingWords(metric)],
              ["Description", metric.description],
              ["Created", <Day key="created" value={metric.created_at} />],
            ]}
          />
        </Section>
        <Section title="Filters" meta={metric.filters.length > 0 ? "prices can differ by them" : undefined}>
          {metric.filters.length === 0 ? (
            <p className="dim">None. All events have the same price.</p>
          ) : (
            <Facts
              facts={metric.filters.map(({ key, values }) => [
                key,
                <span className="row wrap-row" key={key}>
                  {values.map((value) => (
                    <span className="tag" key={value}>
                      {value}
                    </span>
                  ))}
                </span>,
              ])}
            />
          )}
        </Section>
        {plans}
      </div>
      <Section title="An event that counts">
        <Json value={sampleEvent(readMetric(metric))} label="Sample event" />
      </Section>
    </div>
  );
}

function Plans({ metric, page }: { metric: Metric; page: Schema<"PlansResponse"> | undefined }) {
  const found = page && plansOf(page.plans, metric.code);
  return (
    <Section title="Plans that charge for it">
      {found?.length === 0 ? (
        <p className="dim">None yet.</p>
      ) : (
        <Table
          label="Plans that charge for it"
          rows={found}
          skeletonRows={2}
          keyOf={(plan) => plan.lago_id}
          hrefOf={(plan) => paths.plans.show(plan.code)}
          columns={[
            { head: "Plan", fold: "f1", cell: (plan) => plan.name },
            { head: "Code", fold: "f3", cell: (plan) => <span className="id">{plan.code}</span> },
            {
              head: "Interval",
              fold: "f4",
              cell: (plan) => intervalWord(plan.interval),
            },
          ]}
        />
      )}
    </Section>
  );
}
