import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { CatalogDetails } from "@/pages/catalog/details";
import { intervalWord } from "@/pages/plans/draft";
import { Day } from "@/ui/amounts";
import { Facts, Section } from "@/ui/basics";
import { Json } from "@/ui/code";
import { ErrorBlock, type QueryLike } from "@/ui/states";
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
    <CatalogDetails
      what="Metric"
      list={{ label: "Billable metrics", href: paths.metrics.list() }}
      query={metric}
      thingOf={(answer) => answer.billable_metric}
      tab={tab}
      hrefOf={(of) => paths.metrics.show(id, of)}
      sub={(shown) => <span>{measure(shown)}</span>}
      edit={{ right: "billable_metrics:update", hrefOf: paths.metrics.update }}
      menu={(shown, trigger) => <MetricActions metric={shown} isOnPage trigger={trigger} />}
    >
      {(shown) => (
        <Overview metric={shown} plans={showsPlans ? <Plans metric={shown} query={plans} /> : null} />
      )}
    </CatalogDetails>
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

function Plans({ metric, query }: { metric: Metric; query: QueryLike<Schema<"PlansResponse">> }) {
  const found = query.data && plansOf(query.data.plans, metric.code);
  return (
    <Section title="Plans that charge for it">
      {query.error && !found ? (
        <ErrorBlock what="Plans" error={query.error} onRetry={() => void query.refetch()} />
      ) : found?.length === 0 ? (
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
