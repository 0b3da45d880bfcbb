/** The usage of a period as a chart: what was used day by day, metric on metric, and where it is going. */
import type { Schema } from "@/api/client";
import { isoDay } from "@/lib/dates";
import { type Series, STACKED } from "@/ui/chart-colors";

export type ProjectedUsage = Schema<"ProjectedUsageOutput">;
export type DailyUsage = Schema<"UsageOutput">;

const MOST_SERIES = 6;
const DAY = 86_400_000;

/** Every day from one to another, as the wire writes days. */
export function daysFrom(first: string, last: string): string[] {
  const from = Date.parse(first);
  const count = Math.round((Date.parse(last) - from) / DAY) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) =>
    new Date(from + index * DAY).toISOString().slice(0, 10),
  );
}

export interface UsageChart {
  days: string[];
  /** The index of today among the days; null when the period is over or has not begun. */
  today: number | null;
  series: Series[];
  /** The same days of the period before, added up; null when nothing is known of it. */
  before: (number | null)[] | null;
}

interface Asked {
  usages: readonly ProjectedUsage[];
  /** By day, of this period and of the one before. */
  daily: readonly DailyUsage[];
  now: string;
  zone: string;
}

/**
 * Amounts by metric, cumulative. Days that are over come from what was recorded at their ends, today is the current usage
 * itself, days to come go straight to what is projected.
 */
export function usageChart({ usages, daily, now, zone }: Asked): UsageChart | null {
  const [first] = usages;
  if (!first) return null;
  const start = usages.map((one) => isoDay(one.from_datetime, zone)).sort()[0]!;
  const end = usages
    .map((one) => isoDay(one.to_datetime, zone))
    .sort()
    .at(-1)!;
  const days = daysFrom(start, end);
  const index = days.indexOf(isoDay(now, zone));
  const today = index < 0 ? null : index;
  const totals = metricsOf(usages);
  const recorded = byMetricAndDay(daily.filter((one) => one.amount_currency === first.currency));
  const all = totals.map((metric): Series => {
    const own = recorded.get(metric.code);
    let sum = 0;
    const values = days.map((day, column): number => {
      if (today === null || column < today) {
        sum += own?.get(day) ?? 0;
        return sum;
      }
      if (column === today) return metric.cents;
      const share = (column - today) / (days.length - 1 - today);
      return Math.round(metric.cents + (metric.projected - metric.cents) * share);
    });
    return { name: metric.name, color: "c7", values, shape: "area" };
  });
  return { days, today, series: colored(grouped(all)), before: periodBefore(days, recorded) };
}

interface Watching {
  alert_type: string;
  code: string;
  name: string | null;
  thresholds: readonly { code: string | null; value: string; recurring: boolean }[];
}

const MOST_LIMITS = 4;

/**
 * The thresholds of alerts on the amount of a period, in minor units, as lines of its chart: those that usage reaches by `top`,
 * and the next one unless it is so far up that the usage below it would be flat.
 */
export function limitsOf(alerts: readonly Watching[], top: number): { value: number; label: string }[] {
  const all = alerts
    .filter((alert) => alert.alert_type === "current_usage_amount")
    .flatMap((alert) =>
      levelsOf(alert, top).map((value) => ({ value, label: `Alert: ${alert.name || alert.code}` })),
    )
    .sort((a, b) => a.value - b.value)
    .filter((one, index, sorted) => one.value !== sorted[index - 1]?.value);
  const reached = all.filter((one) => one.value <= top);
  const next = all.find((one) => one.value > top && one.value <= 2 * top);
  return [...reached, ...(next ? [next] : [])].slice(-MOST_LIMITS);
}

/** The levels of an alert; a recurring one comes again and again after the highest of the others, once beyond the top. */
function levelsOf({ thresholds }: Watching, top: number): number[] {
  const levels = thresholds.filter((one) => !one.recurring).map((one) => Number(one.value));
  const step = Number(thresholds.find((one) => one.recurring)?.value ?? 0);
  if (step > 0) {
    const first = Math.max(0, ...levels);
    const count = Math.max(1, Math.floor((top - first) / step) + 1);
    const from = Math.max(1, count - MOST_LIMITS);
    for (let index = from; index <= count; index += 1) levels.push(first + index * step);
  }
  return levels;
}

interface MetricTotal {
  code: string;
  name: string;
  cents: number;
  projected: number;
}

/** Current and projected amounts by metric over several subscriptions, the largest first; nothing that is zero. */
export function metricsOf(usages: readonly ProjectedUsage[]): MetricTotal[] {
  const totals = new Map<string, MetricTotal>();
  for (const usage of usages) {
    for (const charge of usage.charges_usage) {
      const { code, name } = charge.billable_metric;
      const total = totals.get(code) ?? { code, name, cents: 0, projected: 0 };
      total.cents += charge.amount_cents;
      total.projected += charge.projected_amount_cents;
      totals.set(code, total);
    }
  }
  return [...totals.values()]
    .filter((one) => one.cents !== 0 || one.projected !== 0)
    .sort((a, b) => b.projected - a.projected);
}

function byMetricAndDay(daily: readonly DailyUsage[]): Map<string, Map<string, number>> {
  const found = new Map<string, Map<string, number>>();
  for (const one of daily) {
    const own = found.get(one.billable_metric_code) ?? new Map<string, number>();
    const day = one.start_of_period_dt.slice(0, 10);
    own.set(day, (own.get(day) ?? 0) + one.amount_cents);
    found.set(one.billable_metric_code, own);
  }
  return found;
}

/** No more series than can be told apart: the smallest are one, "Other". */
function grouped(series: Series[]): Series[] {
  if (series.length <= MOST_SERIES) return series;
  const kept = series.slice(0, MOST_SERIES - 1);
  const rest = series.slice(MOST_SERIES - 1);
  const values = rest[0]!.values.map((_, column) =>
    rest.reduce((sum, one) => sum + (one.values[column] ?? 0), 0),
  );
  return [...kept, { name: `${rest.length} others`, color: "c7", values, shape: "area" }];
}

function colored(series: Series[]): Series[] {
  return series.map((one, index) => ({ ...one, color: STACKED[index] ?? "c7" }));
}

/** As many days before the first, each put at the same place of its period. */
function periodBefore(
  days: readonly string[],
  recorded: Map<string, Map<string, number>>,
): (number | null)[] | null {
  const dayBefore = new Date(Date.parse(days[0]!) - DAY).toISOString().slice(0, 10);
  const before = daysFrom(monthBefore(days), dayBefore);
  const isKnown = [...recorded.values()].some((own) => before.some((day) => own.has(day)));
  if (!isKnown) return null;
  let sum = 0;
  return days.map((_, column) => {
    const day = before[column];
    if (day === undefined) return null;
    for (const own of recorded.values()) sum += own.get(day) ?? 0;
    return sum;
  });
}

/** The first day of the period before: a month earlier where the period is about a month, else as many days. */
export function monthBefore(days: readonly string[]): string {
  const first = new Date(Date.parse(days[0]!));
  if (days.length < 28 || days.length > 31) {
    return new Date(first.getTime() - days.length * DAY).toISOString().slice(0, 10);
  }
  const year = first.getUTCFullYear();
  const month = first.getUTCMonth() - 1;
  const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return new Date(Date.UTC(year, month, Math.min(first.getUTCDate(), length))).toISOString().slice(0, 10);
}
