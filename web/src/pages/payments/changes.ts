/** What has become of invoices since they were shown. */
import { money } from "@/lib/money";

export interface Owed {
  lago_id: string;
  number: string;
  currency: string;
  total_due_amount_cents: number;
}

/** In words, what of some invoices is otherwise now; of those that are not overdue any more, that. */
export function changesSince(shown: readonly Owed[], now: readonly Owed[]): string[] {
  return shown.flatMap((before) => {
    const after = now.find((one) => one.lago_id === before.lago_id);
    if (!after) return [`${before.number} is not overdue any more.`];
    if (after.total_due_amount_cents === before.total_due_amount_cents) return [];
    const amount = (one: Owed) => money(one.total_due_amount_cents, one.currency);
    return [`${after.number}: ${amount(after)} are due, and no more ${amount(before)}.`];
  });
}
