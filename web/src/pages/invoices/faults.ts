/** What the server refused of an invoice's form, by where it stands there. */
import { ApiError, sentence } from "@/api/errors";

/** By "customer", "entity", "order", "payment", or a line's place and field: "0.units", "2.period". */
export type Faults = Record<string, string>;

const OF_INVOICE: Record<string, string> = {
  external_customer_id: "customer",
  customer: "customer",
  currency: "customer",
  billing_entity_code: "entity",
  purchase_order_number: "order",
  payment_method: "payment",
};

const OF_LINE: Record<string, string> = {
  add_on_code: "addOn",
  units: "units",
  unit_amount_cents: "price",
  unit_precise_amount: "price",
  invoice_display_name: "name",
  description: "description",
  boundaries: "period",
  from_datetime: "period",
  to_datetime: "period",
  tax_codes: "taxes",
};

/** The refusal's fields at their places, and what is left for the head of the form; `isOneLine` where the body is a single line. */
export function faultsOf(refused: unknown, isOneLine = false): { faults: Faults; rest: unknown } {
  if (!(refused instanceof ApiError)) return { faults: {}, rest: refused };
  const faults: Faults = {};
  const placed = new Set<string>();
  const put = (place: string, field: string, codes: readonly string[]) => {
    faults[place] = codes.map(sentence).join(" ");
    placed.add(field);
  };
  for (const [place, codes] of Object.entries(refused.places)) {
    const [, line, field = ""] = /^fees\.(\d+)\.(\w+)$/.exec(place) ?? [];
    if (OF_LINE[field]) put(`${line}.${OF_LINE[field]}`, field, codes);
  }
  for (const [field, codes] of Object.entries(refused.fields)) {
    const own = isOneLine && OF_LINE[field] ? `0.${OF_LINE[field]}` : OF_INVOICE[field];
    if (own && !placed.has(field)) put(own, field, codes);
  }
  if (placed.size === 0) return { faults, rest: refused };
  return { faults, rest: refused.keeping((field) => !placed.has(field)) };
}
