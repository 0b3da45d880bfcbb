/** What the server refused of a plan, by the places of its form. */
import { type ApiError, sentence } from "@/api/errors";

const OF_PLAN: Record<string, string> = {
  name: "name",
  code: "code",
  description: "description",
  amount_cents: "amount",
  trial_period: "trial_period",
  amount_currency: "currency",
  interval: "interval",
  invoice_display_name: "invoice_display_name",
  usage_thresholds: "thresholds.base",
};

/** Fields of a charge or of a filter that have a field in the form; all else stands at its head. */
const OF_CHARGE: Record<string, string> = {
  code: "code",
  pay_in_advance: "pay_in_advance",
  invoice_display_name: "invoice_display_name",
  min_amount_cents: "min_amount",
  conversion_rate: "conversion_rate",
  "applied_pricing_unit.conversion_rate": "conversion_rate",
  units: "units",
  values: "values",
};

/** Where the form of one charge, be it of usage or a fixed one, shows each refusal. */
export function placesOfCharge(refused: ApiError, at: string): Record<string, string> {
  const found: Record<string, string> = {};
  const deeper = new Set<string>();
  const put = (path: string, codes: readonly string[]) => {
    const place = placeOf(`${at}.${path}`, 0)!;
    found[place] = [found[place], ...codes.map(wordOf)].filter(Boolean).join(" ");
  };
  for (const [path, codes] of Object.entries(refused.places)) {
    put(path.replace(/^(fixed_)?charge\./, ""), codes);
    deeper.add(path.split(".").at(-1)!);
  }
  for (const [field, codes] of Object.entries(refused.fields)) {
    if (!deeper.has(field)) put(field, codes);
  }
  return found;
}

/** Where a form of so many thresholds shows each refusal. What has no place is told at the head of the form alone. */
export function placesOf(refused: ApiError, thresholds: number): Record<string, string> {
  const found: Record<string, string> = {};
  const put = (place: string | undefined, codes: readonly string[]) => {
    if (place) found[place] = [found[place], ...codes.map(wordOf)].filter(Boolean).join(" ");
  };
  const deeper = new Set<string>();
  for (const [path, codes] of Object.entries(refused.places)) {
    const place = placeOf(path.replace(/^plan_overrides\./, ""), thresholds);
    put(place, codes);
    if (place) deeper.add(path.split(".").at(-1)!);
  }
  for (const [field, codes] of Object.entries(refused.fields)) {
    if (!deeper.has(field)) put(OF_PLAN[field], codes);
  }
  return found;
}

function placeOf(path: string, thresholds: number): string | undefined {
  const charge = /^((?:fixed_)?charges\.\d+(?:\.filters\.\d+)?)\.(.+)$/.exec(path);
  if (charge) return `${charge[1]}.${OF_CHARGE[charge[2]!] ?? "base"}`;
  const threshold = /^usage_thresholds\.(\d+)\.amount_cents$/.exec(path);
  if (threshold) {
    const index = Number(threshold[1]);
    return index < thresholds ? `thresholds.${index}.amount` : "recurring_threshold.amount";
  }
  if (path === "minimum_commitment.amount_cents") return "commitment.amount";
  if (path === "minimum_commitment.invoice_display_name") return "commitment.name";
  return undefined;
}

const wordOf = (code: string) =>
  code === "value_already_exist" ? "This code is taken already." : sentence(code);
