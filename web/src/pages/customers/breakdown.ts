/** What the usage of a charge breaks down into: groups, and filters in them or without groups. */
import type { Schema } from "@/api/client";

type Charge = Schema<"ProjectedCharge">;
type Filter = Schema<"ProjectedFilter">;
type Group = Schema<"ProjectedGroup">;

export interface Part {
  key: string;
  name: string;
  /** A filter in a group. */
  isInner: boolean;
  units: string;
  events: number;
  cents: number;
  projectedUnits: string;
  projectedCents: number;
}

export function chargeName(charge: Pick<Charge, "charge" | "billable_metric">): string {
  return charge.charge.invoice_display_name || charge.billable_metric.name;
}

/** The parts of a charge's usage in the order of the wire; none where it is one. */
export function breakdownOf(charge: Charge): Part[] {
  if (charge.grouped_usage.length > 0) {
    return charge.grouped_usage.flatMap((group, index) => [
      part(`group ${index}`, groupName(group), false, group),
      ...group.filters.map((filter, inner) =>
        part(`group ${index} filter ${inner}`, filterName(filter), true, filter),
      ),
    ]);
  }
  return charge.filters.map((filter, index) => part(`filter ${index}`, filterName(filter), false, filter));
}

function part(key: string, name: string, isInner: boolean, of: Filter | Group): Part {
  return {
    key,
    name,
    isInner,
    units: of.units,
    events: of.events_count,
    cents: of.amount_cents,
    projectedUnits: of.projected_units,
    projectedCents: of.projected_amount_cents,
  };
}

/** "region: eu, us; model: large"; what no filter matches is "Everything else". */
export function filterName(filter: Pick<Filter, "invoice_display_name" | "values">): string {
  if (filter.invoice_display_name) return filter.invoice_display_name;
  const values = Object.entries((filter.values ?? {}) as Record<string, string[]>);
  if (values.length === 0) return "Everything else";
  return values.map(([key, some]) => `${key}: ${some.join(", ")}`).join("; ");
}

export function groupName(group: Pick<Group, "grouped_by">): string {
  const by = Object.entries(group.grouped_by as Record<string, string | null>);
  return by.map(([key, value]) => `${key}: ${value ?? "none"}`).join(", ") || "All";
}
