/** The bars of a period: one for each of its days, those that have not come yet empty. */

export interface DayBar {
  date: string;
  cents: number;
  /** Of the highest day, 0 to 1. */
  share: number;
  isAhead: boolean;
}

interface DayUsed {
  date: string;
  amount_cents: number;
}

/** Days from the period's first to its last; `days` are those that were counted. */
export function dayBars(from: string, to: string, days: readonly DayUsed[]): DayBar[] {
  const byDate = new Map(days.map((one) => [one.date, one.amount_cents]));
  const last = [...byDate.keys()].sort().at(-1) ?? "";
  const highest = Math.max(0, ...byDate.values());
  const bars: DayBar[] = [];
  for (let date = from; date <= to && bars.length < 400; date = nextDay(date)) {
    const cents = byDate.get(date) ?? 0;
    bars.push({ date, cents, share: highest > 0 ? cents / highest : 0, isAhead: date > last });
  }
  return bars;
}

function nextDay(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}
