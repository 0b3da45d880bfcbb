/** Reports by days, weeks or months: what that is chosen with, and the columns of their charts. */
import { day, month as monthName } from "@/lib/dates";
import { Segments } from "@/ui/fields";
import type { Granularity } from "./granularity";
import type { Column } from "./trend";

const GRANULARITIES: readonly { value: Granularity; label: string }[] = [
  { value: "daily", label: "Days" },
  { value: "weekly", label: "Weeks" },
  { value: "monthly", label: "Months" },
];

interface ByPeriodProps {
  granularity: Granularity;
  set: (changes: { by: Granularity | undefined }) => void;
}

export function ByPeriod({ granularity, set }: ByPeriodProps) {
  return (
    <Segments
      label="By"
      value={granularity}
      options={[...GRANULARITIES]}
      onChange={(by) => set({ by: by === "monthly" ? undefined : by })}
    />
  );
}

const NAMES: Record<Granularity, string> = { daily: "Day", weekly: "Week", monthly: "Month" };

/** Periods by their first days, as a chart names them. */
export function columnsBy(
  granularity: Granularity,
  periods: readonly string[],
): { columns: Column[]; columnName: string } {
  const columns = periods.map((period) =>
    granularity === "monthly"
      ? { label: monthName(period), short: monthName(period, undefined, "short") }
      : { label: day(period), short: day(period).replace(/\s\d{4}$/, "") },
  );
  return { columns, columnName: NAMES[granularity] };
}
