/** The thresholds of progressive billing on the way of all usage: those that were reached, and the next ones (invoicing §5.1). */

interface Threshold {
  amount_cents: number;
  recurring: boolean;
  threshold_display_name: string | null;
}

export interface Rung {
  cents: number;
  name: string | null;
  isReached: boolean;
}

/**
 * The rungs up to what was used and one beyond, the lowest first. One that recurs comes again and again after the last of the
 * others; of those that lie behind only the last is there.
 */
export function ladderOf(thresholds: readonly Threshold[], used: number): Rung[] {
  const once = thresholds
    .filter((one) => !one.recurring)
    .sort((a, b) => a.amount_cents - b.amount_cents)
    .map((one): [number, string | null] => [one.amount_cents, one.threshold_display_name]);
  const again = thresholds.find((one) => one.recurring);
  const top = once.at(-1)?.[0] ?? 0;
  if (again && again.amount_cents > 0) {
    const passed = Math.max(0, Math.floor((used - top) / again.amount_cents));
    const steps = passed > 0 ? [passed, passed + 1] : [1];
    for (const step of steps) once.push([top + step * again.amount_cents, again.threshold_display_name]);
  }
  return once.map(([cents, name]) => ({ cents, name, isReached: cents <= used }));
}

/** How far the ladder's picture goes: to its last rung, or to what was used where that is more. */
export function topOf(rungs: readonly Rung[], used: number): number {
  return Math.max(used, rungs.at(-1)?.cents ?? 0);
}
