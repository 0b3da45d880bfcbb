/** Figures by month: what the API's reports have, padded with zero so that every month has a column. */

export interface Amount {
  month: string;
  amount_cents: number | null;
  currency: string | null;
}

/** The last months up to an instant, oldest first: "2026-11". */
export function lastMonths(now: number, count: number): string[] {
  const date = new Date(now);
  return Array.from({ length: count }, (_, index) => {
    const at = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - (count - 1 - index), 1));
    return at.toISOString().slice(0, 7);
  });
}

/** The sum of each month, in one currency. */
export function byMonth(amounts: readonly Amount[], months: readonly string[], currency: string): number[] {
  const sums = new Map<string, number>();
  for (const { month, amount_cents, currency: own } of amounts) {
    if (own !== currency || amount_cents === null) continue;
    const key = month.slice(0, 7);
    sums.set(key, (sums.get(key) ?? 0) + amount_cents);
  }
  return months.map((month) => sums.get(month) ?? 0);
}

/** One amount of the app's dashboards by month. */
export function monthsFrom<Name extends string>(
  rows: readonly ({ start_of_period_dt: string; currency: string } & Record<Name, number>)[],
  name: Name,
): Amount[] {
  return rows.map((row) => ({
    month: row.start_of_period_dt,
    amount_cents: row[name],
    currency: row.currency,
  }));
}

/** How a value changed, in percent with one decimal; null where there is nothing to compare with. */
export function change(now: number, before: number): number | null {
  return before === 0 ? null : Math.round(((now - before) / before) * 1000) / 10;
}

/** The currencies that reports have amounts in, the given one first. */
export function currenciesOf(
  reports: readonly (readonly { currency: string | null }[] | undefined)[],
  first: string,
): string[] {
  const found = new Set(reports.flatMap((report) => report?.map((one) => one.currency) ?? []));
  found.delete(null);
  found.delete(first);
  return [first, ...([...found] as string[]).sort()];
}
