/** By days, weeks or months: what a report is summed by, in its address. */
import type { ReportTab } from "./narrowed";

export type Granularity = "daily" | "weekly" | "monthly";

/** Reports by days and weeks, too; the others' figures are those of months. */
const BY_PERIOD: readonly ReportTab[] = ["revenue", "mrr", "usage", "prepaid"];

export const isByPeriod = (tab: ReportTab): boolean => BY_PERIOD.includes(tab);

/** What a report is summed by as its address has it; by months where that says nothing. */
export function granularityOf(tab: ReportTab, { by }: { by?: unknown }): Granularity {
  return isByPeriod(tab) && (by === "daily" || by === "weekly") ? by : "monthly";
}

export const NOUN_OF: Record<Granularity, string> = { daily: "day", weekly: "week", monthly: "month" };
