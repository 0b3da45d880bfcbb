/** What is used, by day, week or month: priced as it is used, whether or not it is billed yet (ui §4). */
import type { Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useNow } from "@/app/session";
import { aboutUnits, units } from "@/lib/money";
import { Money } from "@/ui/amounts";
import { Section, Stat } from "@/ui/basics";
import { Spark } from "@/ui/chart";
import { Select, Switch } from "@/ui/fields";
import { useKept } from "@/ui/opened";
import { Empty } from "@/ui/states";
import { Table } from "@/ui/table";
import { columnsBy } from "./by-period";
import type { Granularity } from "./granularity";
import { sum, Trend } from "./trend";
import { type MetricNames, periodsOf, usageSeries, usedMetrics } from "./usage-periods";

interface UsageReportProps {
  report: { months: string[]; currency: string };
  granularity: Granularity;
  kind: string;
  usages: readonly Schema<"UsageOutput">[];
  names: MetricNames;
  set: (changes: Record<string, unknown>) => void;
}

export function UsageReport({ report, granularity, kind, usages, names, set }: UsageReportProps) {
  const can = useCan();
  const now = useNow();
  const [deleted, keepDeleted] = useKept("deleted");
  const hidesDeleted = deleted === "hidden";
  const { months, currency } = report;
  const periods = periodsOf(granularity, now, months, { areOver: true });
  const all = usedMetrics(usages, periods, currency);
  const metrics = hidesDeleted ? all.filter((one) => !one.isDeleted) : all;
  const total = sum(metrics.map((one) => one.cents));
  return (
    <>
      <div className="report-bar">
        <Select
          isTool
          aria-label="Kind of metric"
          value={kind}
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
            isOn={hidesDeleted}
            onChange={(isHidden) => keepDeleted(isHidden ? "hidden" : undefined)}
          />
        )}
      </div>
      {metrics.length === 0 ? (
        <Empty title="Nothing was used in this period" />
      ) : (
        <>
          <div className="stats report">
            <Stat
              name="Usage"
              value={<Money cents={total} currency={currency} isZeroPlain />}
              detail="priced as it was used, before tax"
            />
            <Stat name="Metrics" value={metrics.length.toLocaleString()} />
          </div>
          <Trend
            title="Usage by metric"
            report={report}
            {...columnsBy(granularity, periods)}
            rows={usageSeries(metrics, names)}
            isPlain={granularity === "daily"}
          />
          <Section title="Metrics">
            <Table
              label="Usage by metric"
              rows={metrics}
              keyOf={(one) => `${one.code} ${one.isDeleted}`}
              {...(can("billable_metrics:view") && {
                hrefOf: (one: { code: string }) => paths.metrics.show(one.code),
              })}
              columns={[
                {
                  head: "Metric",
                  fold: "f1",
                  cell: (one) => (
                    <span className="row">
                      {one.isDeleted ? (
                        <b className="med id">{one.code}</b>
                      ) : (
                        <MetricName code={one.code} names={names} />
                      )}
                      {one.isDeleted && <span className="tag">Deleted</span>}
                    </span>
                  ),
                },
                { head: "Over time", isLow: true, cell: (one) => <Spark values={one.values} /> },
                {
                  head: "Units",
                  isNumber: true,
                  fold: "f3",
                  cell: (one) => <span title={units(one.units)}>{aboutUnits(one.units)}</span>,
                },
                {
                  head: "Amount",
                  isNumber: true,
                  fold: "f2",
                  cell: (one) => <Money cents={one.cents} currency={currency} />,
                },
              ]}
            />
          </Section>
        </>
      )}
    </>
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
