/** What proves usage that is not billed yet: a total by its charges, a charge by its parts, and the addresses of both. */
import type { Schema } from "@/api/client";
import { money } from "@/lib/money";
import type { Proof } from "@/pages/invoices/why/proof";
import { chargeName, filterName, groupName } from "./breakdown";
import type { ProjectedUsage } from "./usage";

export type Explanation = Schema<"UsageExplanation">;

/** What is asked about: all usage, that of a subscription, of a charge of it, or of a part of the charge. */
export interface Asked {
  subscription?: string;
  charge?: string;
  part?: number;
}

/** All usage, in an address. */
export const TOTAL = "usage";

/** A subscription's usage, in an address. */
export function totalOf(subscription: string): string {
  return `${TOTAL}@${subscription}`;
}

/** A charge's usage, or that of one of its parts, in an address. */
export function whyOf(charge: { charge: { lago_id: string } }, subscription: string, part?: number): string {
  const { lago_id } = charge.charge;
  return `${lago_id}${part === undefined ? "" : `.${part}`}@${subscription}`;
}

/** What an address asks about; null where it asks for nothing that is known here. */
export function readWhy(why: string | undefined): Asked | null {
  if (!why) return null;
  if (why === TOTAL) return {};
  const [, what, part, subscription] = /^([^.@]+)(?:\.(\d+))?@(.+)$/s.exec(why) ?? [];
  if (!what || !subscription) return null;
  if (what === TOTAL) return { subscription };
  return { subscription, charge: what, ...(part !== undefined && { part: Number(part) }) };
}

interface Used {
  subscription: string;
  name: string;
  usage: ProjectedUsage;
}

/** The usage of subscriptions as the sum of their charges'. */
export function proofOfUsages(used: readonly Used[]): Proof {
  return {
    steps: used.map(({ subscription, name, usage }) => ({
      title: name,
      lines: usage.charges_usage.map((charge) => ({
        what: chargeName(charge),
        value: money(charge.amount_cents, charge.amount_currency),
        why: whyOf(charge, subscription),
      })),
      total: { what: "Before tax", value: money(usage.amount_cents, usage.currency) },
    })),
  };
}

/** A charge's usage as the sum of what its filters and groups come to. */
export function proofOfParts(parts: readonly Explanation[], subscription: string): Proof {
  const [first] = parts;
  if (!first) return { steps: [] };
  const sum = sumOf(parts.map((one) => one.amount_cents));
  return {
    steps: [
      {
        title: "Sum of its parts",
        lines: parts.map((one, index) => ({
          what: partName(one),
          value: money(one.amount_cents, one.currency),
          why: whyOf({ charge: { lago_id: one.lago_charge_id } }, subscription, index),
        })),
        total: { what: "Before tax", value: money(String(sum), first.currency) },
      },
    ],
  };
}

/** Whether the charges of each subscription come to what it says of them. */
export function isSumOfCharges(usages: readonly ProjectedUsage[]): boolean {
  return usages.every(
    (usage) => sumOf(usage.charges_usage.map((one) => one.amount_cents)) === BigInt(usage.amount_cents),
  );
}

export function sumOf(cents: readonly number[]): bigint {
  return cents.reduce((sum, one) => sum + BigInt(one), 0n);
}

/** "region: eu, model: large": the group, then the filter in it. */
export function partName(part: Pick<Explanation, "invoice_display_name" | "values" | "grouped_by">): string {
  const isGrouped = Object.keys(part.grouped_by).length > 0;
  if (!isGrouped) return filterName(part);
  return part.values ? `${groupName(part)}; ${filterName(part)}` : groupName(part);
}
