/** Where a clock can be moved to, and how a year lies on a line. Instants are UTC. */

const DAY = 86_400_000;

export interface Preset {
  key: string;
  label: string;
  to: (from: Date, next: string | undefined) => Date | null;
}

export const PRESETS: readonly Preset[] = [
  { key: "next", label: "Next due", to: (from, next) => (next ? endOf(next, from) : null) },
  { key: "week", label: "+1 week", to: (from) => new Date(from.getTime() + 7 * DAY) },
  { key: "month", label: "Month end", to: (from) => nextMonth(from) },
  { key: "year", label: "+1 year", to: (from) => nextYear(from) },
];

/** The end of a day on which something is due, so that all of it is done; nothing where the clock is past it. */
function endOf(date: string, from: Date): Date | null {
  const at = new Date(Date.parse(`${date}T00:00:00Z`) + DAY - 60_000);
  return at > from ? at : null;
}

/** Five past midnight of the first of the next month, when the month before is billed. */
export function nextMonth(from: Date): Date {
  return new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1, 1, 0, 5));
}

/** The same day of the next year; the 28th where the 29th of February is not there. */
export function nextYear(from: Date): Date {
  const next = new Date(from);
  next.setUTCFullYear(from.getUTCFullYear() + 1);
  if (next.getUTCMonth() !== from.getUTCMonth()) next.setUTCDate(0);
  return next;
}

/** The year around an instant: five months before it, seven after. */
export function yearAround(now: Date): { from: Date; to: Date; months: Date[] } {
  const month = (offset: number) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1));
  return {
    from: month(-5),
    to: month(7),
    months: Array.from({ length: 12 }, (_, index) => month(index - 5)),
  };
}

/** Where an instant is between two, in percent. */
export function placeOf(at: Date, from: Date, to: Date): number {
  const share = (at.getTime() - from.getTime()) / (to.getTime() - from.getTime());
  return Math.min(100, Math.max(0, share * 100));
}

/** Whole days from an instant to another, rounded up. */
export function daysAhead(from: Date, to: Date): number {
  return Math.ceil((to.getTime() - from.getTime()) / DAY);
}
