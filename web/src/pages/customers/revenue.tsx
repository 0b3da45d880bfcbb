import { month } from "@/lib/dates";
import { money, roundMoney } from "@/lib/money";
import { Section } from "@/ui/basics";
import { Chart } from "@/ui/chart";
import type { CustomerReads } from "./reads";

/** What was billed month by month, a chart for each currency. */
export function RevenueSection({ reads }: { reads: CustomerReads }) {
  const months = reads.revenue.data?.gross_revenues ?? [];
  const currencies = [...new Set(months.map((one) => one.currency))];
  return currencies.map((currency) => {
    const sums = new Map<string, number>();
    for (const one of months) {
      if (one.currency !== currency) continue;
      sums.set(one.month, (sums.get(one.month) ?? 0) + one.amount_cents);
    }
    const columns = [...sums].sort(([a], [b]) => a.localeCompare(b));
    const total = columns.reduce((sum, [, cents]) => sum + cents, 0);
    return (
      <Section key={currency} title="Billed by month" meta={currency}>
        <Chart
          sentence={`Billed by month in ${currency}: ${money(total, currency)} in ${columns.length} months.`}
          columns={columns.map(([start]) => ({
            label: month(start, "UTC"),
            short: month(start, "UTC", "short"),
          }))}
          series={[{ name: "Billed", color: "c1", shape: "bar", values: columns.map(([, cents]) => cents) }]}
          write={(cents) => money(cents, currency)}
          writeTick={(cents) => (cents === 0 ? "0" : roundMoney(cents, currency))}
          columnName="Month"
          height={180}
        />
      </Section>
    );
  });
}
