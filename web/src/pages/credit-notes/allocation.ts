/** How the money of a credit note is divided: onto later invoices, back to the customer, off what is still due. */

export interface Parts {
  credit: number;
  refund: number;
  offset: number;
}

/** The most that each may have, as the server estimates it. */
export type Limits = Parts;

/** What is due is settled first, then credit is given, and what no credit can hold is paid back. */
export function suggestParts(total: number, limits: Limits): Parts {
  const offset = Math.min(total, limits.offset);
  const credit = Math.min(total - offset, limits.credit);
  const refund = Math.min(total - offset - credit, limits.refund);
  return { credit, refund, offset };
}

/** What is not divided yet; negative where too much is. */
export function leftOf(total: number, parts: Parts): number {
  return total - parts.credit - parts.refund - parts.offset;
}

/** Whether the parts are the total, and each within its limit. */
export function isDivided(total: number, parts: Parts, limits: Limits): boolean {
  const isWithin = (["credit", "refund", "offset"] as const).every(
    (part) => parts[part] >= 0 && parts[part] <= limits[part],
  );
  return isWithin && total > 0 && leftOf(total, parts) === 0;
}

interface Creditable {
  lago_id: string;
  amount_cents: number;
}

interface Given {
  credit_status: string | null;
  items: readonly { amount_cents: number; fee: { lago_id: string } }[];
}

/** What each fee has left to be given back, in minor units, by its id: its amount less what notes gave back of it. */
export function maximaOf(fees: readonly Creditable[], notes: readonly Given[]): ReadonlyMap<string, number> {
  const left = new Map(fees.map((fee) => [fee.lago_id, fee.amount_cents]));
  for (const item of notes.flatMap((note) => note.items)) {
    const id = item.fee.lago_id;
    left.set(id, Math.max(0, (left.get(id) ?? 0) - item.amount_cents));
  }
  return left;
}
