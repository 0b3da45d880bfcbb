/** What was used by day, week or month: the periods that are shown, and each metric's amounts and units in them. */
import type { Schema } from "@/api/client";
import { decimalText, exact, sum as sumOf } from "@/lib/exact";
import { type ChartColor, type Series, STACKED } from "@/ui/chart-colors";
import type { Granularity } from "./granularity";

type Usage = Schema<"UsageOutput">;

const DAY = 86_400_000;

/** So many of each are shown. */
const SHOWN: Record<"daily" | "weekly", number> = { daily: 30, weekly: 13 };

/**
 * The first days of the periods up to an instant, oldest first: days up to this one, or to the last that is over, for usage is
 * noted as they end; weeks from Mondays; of months those that are given.
 */
export function periodsOf(
  granularity: Granularity,
  now: number,
  months: readonly string[],
  { areOver = false } = {},
): string[] {
  if (granularity === "monthly") return months.map((month) => `${month}-01`);
  const today = Math.floor(now / DAY);
  // The first of January 1970 was a Thursday.
  const last = granularity === "daily" ? today - (areOver ? 1 : 0) : today - ((today + 3) % 7);
  const step = granularity === "daily" ? 1 : 7;
  const count = SHOWN[granularity];
  return Array.from({ length: count }, (_, index) =>
    new Date((last - (count - 1 - index) * step) * DAY).toISOString().slice(0, 10),
  );
}

export interface UsedMetric {
  code: string;
  isDeleted: boolean;
  /** Minor units by period. */
  values: number[];
  /** Units by period, exact. */
  unitValues: string[];
  cents: number;
  units: string;
}

/** Metrics with what was used of them in one currency, the dearest first. */
export function usedMetrics(
  usages: readonly Usage[],
  periods: readonly string[],
  currency: string,
): UsedMetric[] {
  const groups = new Map<string, Usage[]>();
  for (const one of usages) {
    if (one.amount_currency !== currency || !periods.includes(one.start_of_period_dt)) continue;
    const key = `${one.billable_metric_code}/${one.is_billable_metric_deleted}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()]
    .map((rows) => ({
      code: rows[0]!.billable_metric_code,
      isDeleted: rows[0]!.is_billable_metric_deleted,
      values: periods.map((period) =>
        rows.reduce((total, row) => total + (row.start_of_period_dt === period ? row.amount_cents : 0), 0),
      ),
      unitValues: periods.map((period) => unitsOf(rows.filter((row) => row.start_of_period_dt === period))),
      cents: rows.reduce((total, row) => total + row.amount_cents, 0),
      units: unitsOf(rows),
    }))
    .sort((one, other) => other.cents - one.cents || one.code.localeCompare(other.code));
}

const unitsOf = (rows: readonly Usage[]) => decimalText(sumOf(rows.map((row) => exact(row.units))), 10);

const MOST_SERIES = 6;

/** What metrics are called, by their codes. */
export type MetricNames = ReadonlyMap<string, string>;

export function namesOf(metrics: readonly { code: string; name: string }[]): MetricNames {
  return new Map(metrics.map(({ code, name }) => [code, name]));
}

/** Metrics on one another, by their names; those that can't be told apart any more are one. */
export function usageSeries(metrics: readonly UsedMetric[], names: MetricNames): Series[] {
  const series: Series[] = metrics.slice(0, MOST_SERIES).map((one, index) => ({
    name: nameOfMetric(one, names),
    color: STACKED[index] as ChartColor,
    values: one.values,
    shape: "bar",
  }));
  const rest = metrics.slice(MOST_SERIES);
  if (rest.length === 0) return series;
  const values = rest[0]!.values.map((_, index) =>
    rest.reduce((total, one) => total + one.values[index]!, 0),
  );
  return [...series, { name: "Other metrics", color: "c7", values, shape: "bar" }];
}

/** A deleted metric goes by its code: the name may be another's, who has that code now. */
export function nameOfMetric(metric: UsedMetric, names: MetricNames): string {
  return (metric.isDeleted ? undefined : names.get(metric.code)) ?? metric.code;
}
