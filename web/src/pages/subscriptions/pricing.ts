/** What a charge costs in a line, and which of two plans is the dearer one. */

import { price, units } from "@/lib/money";
import { countWords } from "@/lib/words";

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
      return `${countWords(ranges.length, "tier")} from ${from}`;
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
