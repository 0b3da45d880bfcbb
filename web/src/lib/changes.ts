/** What an entry of the activity log tells: of each field what was and what is, in words. */
import { money } from "@/lib/money";

/** One thing that is another than it was. */
export interface Difference {
  where: string;
  before: string;
  after: string;
}

/** Lists on the wire whose members have names: what one of them is called. */
const MEMBERS: Record<string, string> = {
  charges: "charge",
  fixed_charges: "fixed charge",
  filters: "filter",
  entitlements: "feature",
  payment_methods: "payment method",
};

const LONGEST = 400;

/**
 * The changes of an entry, one for each thing that differs: of two objects their fields. Amounts in minor units are of the
 * currency, where it is known.
 */
export function differencesOf(changes: unknown, currency?: string): Difference[] {
  if (!isRecord(changes)) return [];
  return Object.entries(changes).flatMap(([field, pair]) =>
    field !== "updated_at" && Array.isArray(pair) && pair.length === 2
      ? expand(field.split("."), pair[0], pair[1], currency)
      : [],
  );
}

/** The currency of what an entry shows. */
export function currencyOf(entry: { activity_object?: unknown }): string | undefined {
  const about = isRecord(entry.activity_object) ? entry.activity_object : {};
  const currency = about.currency ?? about.amount_currency ?? about.plan_amount_currency;
  return typeof currency === "string" ? currency : undefined;
}

function expand(parts: string[], before: unknown, after: unknown, currency?: string): Difference[] {
  if (isRecord(before) && isRecord(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
      JSON.stringify(before[name]) === JSON.stringify(after[name])
        ? []
        : expand([...parts, name], before[name], after[name], currency),
    );
  }
  const name = parts.at(-1)!;
  return [
    {
      where: place(parts, currency),
      before: short(inWords(name, before, currency)),
      after: short(inWords(name, after, currency)),
    },
  ];
}

/** "plan.charges.calls.properties.amount" is "Plan, charge calls, amount". */
function place(parts: string[], currency?: string): string {
  const words: string[] = [];
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at]!;
    const member = MEMBERS[part];
    if (member && at + 1 < parts.length) words.push(`${member} ${parts[++at]}`);
    else if (part !== "properties" || at === parts.length - 1) words.push(named(part, currency));
  }
  return sentence(words.join(", "));
}

function inWords(name: string, value: unknown, currency?: string): string {
  if (value === null || value === undefined || value === "") return "nothing";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number" && currency && /(^|_)cents$/.test(name)) return money(value, currency);
  if (Array.isArray(value)) return listed(name, value, currency);
  if (!isRecord(value)) return String(value);
  const fields = Object.entries(value).filter(([, part]) => !isNothing(part));
  if (fields.length === 0) return "nothing more";
  return fields.map(([key, part]) => `${named(key, currency)} ${inWords(key, part, currency)}`).join(", ");
}

/** A field's name; of an amount that is shown in its currency without the unit that it has on the wire. */
function named(field: string, currency?: string): string {
  return (currency ? field.replace(/_cents$/, "") : field).replaceAll("_", " ");
}

function listed(name: string, value: unknown[], currency?: string): string {
  if (value.length === 0) return "nothing";
  return value.map((one) => inWords(name, one, currency)).join(value.some(isRecord) ? "; " : ", ");
}

function isNothing(value: unknown): boolean {
  return (
    value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function short(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 2)}…` : text;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
