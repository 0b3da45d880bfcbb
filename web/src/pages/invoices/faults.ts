/** What the server refused of an invoice's form, by where it stands there. */
import { ApiError, sentence } from "@/api/errors";

/** By "customer", "entity", "order", or a line's place and field: "0.units", "2.period". */
export type Faults = Record<string, string>;

const OF_INVOICE: Record<string, string> = {
  external_customer_id: "customer",
  customer: "customer",
  currency: "customer",
  billing_entity_code: "entity",
  purchase_order_number: "order",
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

/**
 * The refusal's fields at their places among so many lines, and what is left for the head of the form. The server names a field
 * of a line without the line: it is the only line's, where there is one.
 */
export function faultsOf(refused: unknown, lines: number): { faults: Faults; rest: unknown } {
  if (!(refused instanceof ApiError)) return { faults: {}, rest: refused };
  const faults: Faults = {};
  const left: Record<string, string[]> = {};
  for (const [field, codes] of Object.entries(refused.fields)) {
    const place = placeOf(field, lines);
    if (place) faults[place] = codes.map(sentence).join(" ");
    else left[field] = codes;
  }
  if (Object.keys(faults).length === 0) return { faults, rest: refused };
  const rest =
    Object.keys(left).length > 0
      ? new ApiError(refused.status, { ...refused.refusal, error_details: left })
      : null;
  return { faults, rest };
}

function placeOf(field: string, lines: number): string | undefined {
  if (OF_INVOICE[field]) return OF_INVOICE[field];
  return lines === 1 && OF_LINE[field] ? `0.${OF_LINE[field]}` : undefined;
}
