/** What is used, by day, week or month: priced as it is used, whether or not it is billed yet (ui §4). */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useNow } from "@/app/session";
import { aboutUnits, bareMoney, units } from "@/lib/money";
import { Money } from "@/ui/amounts";
import { Section, Stat } from "@/ui/basics";
import { Spark } from "@/ui/chart";
import { Segments, Select, Switch } from "@/ui/fields";
import { useKept } from "@/ui/opened";
import { Empty, type QueryLike } from "@/ui/states";
import { Table } from "@/ui/table";
import { columnsBy } from "./by-period";
import { OfPart, type Report } from "./parts";
import { sum, Trend } from "./trend";
import {
  type MetricNames,
  nameOfMetric,
  periodsOf,
  type UsedMetric,
  usageSeries,
  usedMetrics,
} from "./usage-periods";

interface UsageReportProps {
  report: Report;
  used: QueryLike<Schema<"UsagesResponse">>;
  names: MetricNames;
  search: { recurring?: boolean; billable_metric_code?: unknown };
  set: (changes: Record<string, unknown>) => void;
}

/** Usage of all metrics, or of the one that the report is narrowed to, which is then told period by period. */
export function UsageReport({ report, used, names, search, set }: UsageReportProps) {
  const now = useNow();
  const [deleted, keepDeleted] = useKept("deleted");
  const { months, granularity, currency } = report;
  const periods = periodsOf(granularity, now, months, { areOver: true });
  const all = usedMetrics(used.data?.usages ?? [], periods, currency);
  const metrics = deleted === "hidden" ? all.filter((one) => !one.isDeleted) : all;
  const isOfOne = search.billable_metric_code !== undefined;
  return (
    <>
      <div className="report-bar">
        <Select
          isTool
          aria-label="Kind of metric"
          value={search.recurring === undefined ? "all" : String(search.recurring)}
          options={[
            { value: "all", label: "All metrics" },
            { value: "false", label: "Metered" },
            { value: "true", label: "Recurring" },
          ]}
          onChange={(next) => set({ recurring: next === "all" ? undefined : next })}
        />
        {all.some((one) => one.isDeleted) && (
          <Switch
            label="Hide deleted metrics"
            isOn={deleted === "hidden"}
            onChange={(isHidden) => keepDeleted(isHidden ? "hidden" : undefined)}
          />
        )}
      </div>
      <OfPart title="Usage" part={used}>
        {() =>
          metrics.length === 0 ? (
            <Empty title="Nothing was used in this period" />
          ) : (
            <>
              <div className="stats report">
                <Stat
                  name="Usage"
                  value={
                    <Money cents={sum(metrics.map((one) => one.cents))} currency={currency} isZeroPlain />
                  }
                  detail="priced as it was used, before tax"
                />
                {isOfOne && metrics.length === 1 ? (
                  <Stat name="Units" value={<UnitsOf metric={metrics[0]!} />} />
                ) : (
                  <Stat name="Metrics" value={metrics.length.toLocaleString()} />
                )}
              </div>
              {isOfOne ? (
                metrics.map((one) => (
                  <OneMetric
                    key={`${one.code} ${one.isDeleted}`}
                    report={report}
                    periods={periods}
                    metric={one}
                    names={names}
                  />
                ))
              ) : (
                <>
                  <Trend
                    title="Usage by metric"
                    report={report}
                    {...columnsBy(granularity, periods)}
                    rows={usageSeries(metrics, names)}
                    isPlain={granularity === "daily"}
                  />
                  <Metrics
                    metrics={metrics}
                    names={names}
                    currency={currency}
                    onOpen={({ code }) => set({ billable_metric_code: code })}
                  />
                </>
              )}
            </>
          )
        }
      </OfPart>
    </>
  );
}

interface MetricsProps {
  metrics: readonly UsedMetric[];
  names: MetricNames;
  currency: string;
  onOpen: (metric: UsedMetric) => void;
}

/** The metrics beside one another: the course of their amounts, or of their units. */
function Metrics({ metrics, names, currency, onOpen }: MetricsProps) {
  const [measure, keepMeasure] = useKept("measure");
  const isInUnits = measure === "units";
  return (
    <Section
      title="Metrics"
      actions={
        <Segments
          label="Measure"
          value={isInUnits ? "units" : "amount"}
          options={[
            { value: "amount", label: "Amount" },
            { value: "units", label: "Units" },
          ]}
          onChange={(next) => keepMeasure(next === "amount" ? undefined : next)}
        />
      }
    >
      <Table
        label="Usage by metric"
        rows={metrics}
        keyOf={(one) => `${one.code} ${one.isDeleted}`}
        onOpen={onOpen}
        columns={[
          { head: "Metric", fold: "f1", cell: (one) => <UsedName metric={one} names={names} /> },
          {
            head: isInUnits ? "Units over time" : "Amount over time",
            isLow: true,
            cell: (one) => <Spark values={isInUnits ? one.unitValues.map(Number) : one.values} />,
          },
          { head: "Units", isNumber: true, fold: "f3", cell: (one) => <UnitsOf metric={one} /> },
          {
            head: "Amount",
            isNumber: true,
            fold: "f2",
            cell: (one) => <Money cents={one.cents} currency={currency} />,
          },
        ]}
      />
    </Section>
  );
}

interface OneMetricProps {
  report: Report;
  periods: readonly string[];
  metric: UsedMetric;
  names: MetricNames;
}

/** One metric, its amounts and units in each period. */
function OneMetric({ report, periods, metric, names }: OneMetricProps) {
  const can = useCan();
  const name = nameOfMetric(metric, names);
  const amounts = metric.values.map((cents) => (cents ? bareMoney(cents, report.currency) : ""));
  return (
    <Trend
      title={metric.isDeleted ? `${name}, deleted` : name}
      report={report}
      {...columnsBy(report.granularity, periods)}
      rows={[{ name: "Amount", color: "c1", values: metric.values, shape: "bar" }]}
      table={[
        { name: "Units", cells: metric.unitValues.map((one) => (Number(one) ? units(one) : "")) },
        { name: "Amount", cells: amounts, isTotal: true },
      ]}
      meta={
        can("billable_metrics:view") &&
        !metric.isDeleted && (
          <Link className="link" to={paths.metrics.show(metric.code)}>
            What it measures
          </Link>
        )
      }
    />
  );
}

function UnitsOf({ metric }: { metric: UsedMetric }): ReactNode {
  return <span title={units(metric.units)}>{aboutUnits(metric.units)}</span>;
}

function UsedName({ metric, names }: { metric: UsedMetric; names: MetricNames }) {
  return (
    <span className="row">
      {metric.isDeleted ? (
        <b className="med id">{metric.code}</b>
      ) : (
        <MetricName code={metric.code} names={names} />
      )}
      {metric.isDeleted && <span className="tag">Deleted</span>}
    </span>
  );
}

/** A metric by its name, its code beside the pointer; by its code where the name is not known. */
export function MetricName({ code, names }: { code: string; names: MetricNames }) {
  const name = names.get(code);
  if (name === undefined) return <b className="med id">{code}</b>;
  return (
    <b className="med" title={code}>
      {name}
    </b>
  );
}
