/** What a charge costs in words and lines, and which of its numbers can be changed for one subscription. */
import { price, units } from "@/lib/money";

type Properties = Record<string, unknown>;

interface Range {
  from_value: number | string;
  to_value: number | string | null;
  per_unit_amount?: string;
  flat_amount?: string;
  rate?: string;
}

/** The price of a model in one line: "€0.08 a unit", "3 tiers from €19.00". */
export function priceOf(model: string, properties: Properties, currency: string): string {
  const text = (name: string) => String(properties[name] ?? "0");
  switch (model) {
    case "standard":
      return `${price(text("amount"), currency)} a unit`;
    case "package":
      return `${price(text("amount"), currency)} per ${units(text("package_size"))} units`;
    case "percentage": {
      const fixed =
        text("fixed_amount") === "0" ? "" : ` and ${price(text("fixed_amount"), currency)} an event`;
      return `${units(text("rate"))}%${fixed}`;
    }
    case "graduated":
    case "volume":
    case "graduated_percentage": {
      const ranges = rangesOf(model, properties);
      const first = ranges[0];
      if (!first) return "No tiers";
      const from =
        first.rate === undefined ? price(first.per_unit_amount ?? "0", currency) : `${units(first.rate)}%`;
      return `${ranges.length} tier${ranges.length === 1 ? "" : "s"} from ${from}`;
    }
    case "dynamic":
      return "Each event brings its price";
    default:
      return "By an expression of its own";
  }
}

const RANGES: Record<string, string> = {
  graduated: "graduated_ranges",
  volume: "volume_ranges",
  graduated_percentage: "graduated_percentage_ranges",
};

function rangesOf(model: string, properties: Properties): Range[] {
  return (properties[RANGES[model] ?? ""] as Range[] | undefined) ?? [];
}

/** "0–25", "26 and more". */
export function boundsOf(range: Range): string {
  const from = units(range.from_value);
  return range.to_value === null ? `${from} and more` : `${from}–${units(range.to_value)}`;
}

export interface PriceNumber {
  /** Where it is in the properties: ["graduated_ranges", "0", "flat_amount"]. */
  path: string[];
  label: string;
  value: string;
  isMoney: boolean;
}

const SINGLE: Record<string, [name: string, label: string, isMoney: boolean][]> = {
  standard: [["amount", "Price a unit", true]],
  package: [
    ["amount", "Price a package", true],
    ["package_size", "Units in a package", false],
    ["free_units", "Free units", false],
  ],
  percentage: [
    ["rate", "Rate in percent", false],
    ["fixed_amount", "Fixed amount an event", true],
    ["free_units_per_events", "Free events", false],
    ["free_units_per_total_aggregation", "Free amount", true],
    ["per_transaction_min_amount", "At least, an event", true],
    ["per_transaction_max_amount", "At most, an event", true],
  ],
};

const IN_RANGES: [name: keyof Range, label: string, isMoney: boolean][] = [
  ["per_unit_amount", "price a unit", true],
  ["flat_amount", "flat amount", true],
  ["rate", "rate in percent", false],
];

/** The numbers of a model, each with its name; none of models whose price is no number. */
export function numbersOf(model: string, properties: Properties): PriceNumber[] {
  const own = (SINGLE[model] ?? []).flatMap(([name, label, isMoney]): PriceNumber[] => {
    const value = properties[name];
    return value === undefined || value === null
      ? []
      : [{ path: [name], label, value: String(value), isMoney }];
  });
  const ranges = rangesOf(model, properties).flatMap((range, index) =>
    IN_RANGES.flatMap(([name, label, isMoney]): PriceNumber[] => {
      const value = range[name];
      if (value === undefined || value === null) return [];
      const path = [RANGES[model]!, String(index), name];
      return [{ path, label: `${boundsOf(range)}: ${label}`, value: String(value), isMoney }];
    }),
  );
  return [...own, ...ranges];
}

/** Properties with other numbers in the same places. A number that was one stays one. */
export function withNumbers(
  properties: Properties,
  changed: readonly { path: string[]; value: string }[],
): Properties {
  const copy = structuredClone(properties);
  for (const { path, value } of changed) {
    let at = copy as Record<string, unknown>;
    for (const step of path.slice(0, -1)) at = at[step] as Record<string, unknown>;
    const last = path.at(-1)!;
    at[last] = typeof at[last] === "number" ? Number(value) : value;
  }
  return copy;
}

const PERIODS_A_YEAR: Record<string, number> = {
  weekly: 52,
  monthly: 12,
  quarterly: 4,
  semiannual: 2,
  yearly: 1,
};

/** Whether another plan takes over at the end of the period: when it costs less in a year (subscriptions §2.4). */
export function isDowngrade(
  from: { amount_cents: number; interval: string },
  to: { amount_cents: number; interval: string },
): boolean {
  const yearly = (plan: { amount_cents: number; interval: string }) =>
    BigInt(plan.amount_cents) * BigInt(PERIODS_A_YEAR[plan.interval] ?? 1);
  return yearly(to) < yearly(from);
}
