/** What the server refused of a credit note, by where it stands in its form. */
import { ApiError, sentence } from "@/api/errors";

const FIELDS = [
  "credit_amount_cents",
  "refund_amount_cents",
  "offset_amount_cents",
  "reason",
  "description",
] as const;

interface Refusals {
  /** By the id of the fee. */
  items: ReadonlyMap<string, string>;
  fields: Partial<Record<(typeof FIELDS)[number], string>>;
  /** For the head of the form. */
  rest: unknown;
}

/** The places of a refusal, where so many items were sent. */
export function refusalsOf(refused: unknown, items: readonly { fee_id: string }[]): Refusals {
  if (!(refused instanceof ApiError)) return { items: new Map(), fields: {}, rest: refused };
  const words = (codes: readonly string[]) => codes.map(sentence).join(" ");
  const ofItems = new Map<string, string>();
  for (const [place, codes] of Object.entries(refused.places)) {
    const item = items[Number(/^items\.(\d+)\.amount_cents$/.exec(place)?.[1])];
    if (item) ofItems.set(item.fee_id, words(codes));
  }
  const { fields } = refused;
  const ofFields = Object.fromEntries(
    FIELDS.flatMap((field): [string, string][] => (fields[field] ? [[field, words(fields[field])]] : [])),
  );
  const placed = new Set([...Object.keys(ofFields), ...(ofItems.size > 0 ? ["amount_cents"] : [])]);
  return {
    items: ofItems,
    fields: ofFields,
    rest: placed.size > 0 ? refused.keeping((field) => !placed.has(field)) : refused,
  };
}
