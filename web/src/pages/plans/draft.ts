/** A plan as it is edited: texts as they are typed. The way to and from the wire is in wire.ts. */
import type { Schema } from "@/api/client";

export type ChargeModel = Schema<"ChargeModel">;
export type Interval = Schema<"PlanOutput">["interval"];

/** A tier up to and with `to`; "" is no limit. `price` is per unit, or a rate in percent. */
export interface Tier {
  to: string;
  price: string;
  flat: string;
}

/** The prices of all models, so that trying another model forgets nothing. */
export interface PriceDraft {
  amount: string;
  package_size: string;
  free_units: string;
  rate: string;
  fixed_amount: string;
  free_units_per_events: string;
  free_units_per_total_aggregation: string;
  per_transaction_min_amount: string;
  per_transaction_max_amount: string;
  /** Of graduated and of volume prices. */
  tiers: Tier[];
  /** Of graduated percentages. */
  rates: Tier[];
  /** JSON of custom prices. */
  custom: string;
  pricing_group_keys: string[];
  presentation_group_keys: { value: string; isShown: boolean }[];
}

/** Properties as they came, so that what was not touched goes back as it was. */
export interface Kept {
  model: ChargeModel;
  properties: Record<string, unknown>;
}

export interface FilterDraft {
  key: string;
  values: Record<string, string[]>;
  invoice_display_name: string;
  price: PriceDraft;
  kept: Kept | null;
}

export interface ChargeDraft {
  /** Of the editor alone: which one is open. */
  key: string;
  id: string | null;
  metric_id: string;
  metric_code: string;
  code: string;
  invoice_display_name: string;
  charge_model: ChargeModel;
  price: PriceDraft;
  kept: Kept | null;
  filters: FilterDraft[];
  pay_in_advance: boolean;
  invoiceable: boolean;
  regroup_paid_fees: boolean;
  prorated: boolean;
  accepts_target_wallet: boolean;
  min_amount: string;
  tax_codes: string[];
  pricing_unit: { code: string; conversion_rate: string } | null;
}

export interface FixedChargeDraft {
  key: string;
  id: string | null;
  add_on_id: string;
  add_on_code: string;
  code: string;
  invoice_display_name: string;
  charge_model: ChargeModel;
  price: PriceDraft;
  kept: Kept | null;
  units: string;
  apply_units_immediately: boolean;
  pay_in_advance: boolean;
  prorated: boolean;
  tax_codes: string[];
}

export interface EntitlementDraft {
  code: string;
  /** By the privileges' codes; "" grants none. */
  values: Record<string, string>;
}

export interface PlanDraft {
  name: string;
  code: string;
  invoice_display_name: string;
  description: string;
  interval: Interval;
  currency: string;
  amount: string;
  pay_in_advance: boolean;
  trial_period: string;
  bill_charges_monthly: boolean;
  bill_fixed_charges_monthly: boolean;
  tax_codes: string[];
  charges: ChargeDraft[];
  fixed_charges: FixedChargeDraft[];
  commitment: { amount: string; invoice_display_name: string; tax_codes: string[] } | null;
  thresholds: { amount: string; name: string }[];
  recurring_threshold: { amount: string; name: string } | null;
  entitlements: EntitlementDraft[];
  metadata: { key: string; value: string }[];
}

export const NO_PRICE: PriceDraft = {
  amount: "",
  package_size: "",
  free_units: "",
  rate: "",
  fixed_amount: "",
  free_units_per_events: "",
  free_units_per_total_aggregation: "",
  per_transaction_min_amount: "",
  per_transaction_max_amount: "",
  tiers: [{ to: "", price: "", flat: "" }],
  rates: [{ to: "", price: "", flat: "" }],
  custom: "",
  pricing_group_keys: [],
  presentation_group_keys: [],
};

export const NEW_PLAN: PlanDraft = {
  name: "",
  code: "",
  invoice_display_name: "",
  description: "",
  interval: "monthly",
  currency: "EUR",
  amount: "",
  pay_in_advance: false,
  trial_period: "",
  bill_charges_monthly: false,
  bill_fixed_charges_monthly: false,
  tax_codes: [],
  charges: [],
  fixed_charges: [],
  commitment: null,
  thresholds: [],
  recurring_threshold: null,
  entitlements: [],
  metadata: [],
};

export const INTERVALS: { value: Interval; label: string; noun: string }[] = [
  { value: "weekly", label: "Weekly", noun: "week" },
  { value: "monthly", label: "Monthly", noun: "month" },
  { value: "quarterly", label: "Quarterly", noun: "quarter" },
  { value: "semiannual", label: "Every half year", noun: "half year" },
  { value: "yearly", label: "Yearly", noun: "year" },
];

export function intervalWord(interval: Interval): string {
  return INTERVALS.find((one) => one.value === interval)?.label ?? interval;
}

export function nounOf(interval: Interval): string {
  return INTERVALS.find((one) => one.value === interval)?.noun ?? interval;
}

let last = 0;

/** A key for React that no other has. */
export function freshKey(): string {
  last += 1;
  return `new-${last}`;
}

export function newCharge(metric: Schema<"MetricOutput">): ChargeDraft {
  return {
    key: freshKey(),
    id: null,
    metric_id: metric.lago_id,
    metric_code: metric.code,
    code: "",
    invoice_display_name: "",
    charge_model: metric.aggregation_type === "custom_agg" ? "custom" : "standard",
    price: NO_PRICE,
    kept: null,
    filters: [],
    pay_in_advance: false,
    invoiceable: true,
    regroup_paid_fees: false,
    prorated: false,
    accepts_target_wallet: false,
    min_amount: "",
    tax_codes: [],
    pricing_unit: null,
  };
}

export function newFixedCharge(addOn: Schema<"AddOnOutput">): FixedChargeDraft {
  return {
    key: freshKey(),
    id: null,
    add_on_id: addOn.lago_id,
    add_on_code: addOn.code,
    code: "",
    invoice_display_name: "",
    charge_model: "standard",
    price: NO_PRICE,
    kept: null,
    units: "1",
    apply_units_immediately: false,
    pay_in_advance: false,
    prorated: false,
    tax_codes: [],
  };
}

/** A plan's draft as that of another: nothing in it is kept already. */
export function copyOf(draft: PlanDraft): PlanDraft {
  return {
    ...draft,
    name: `${draft.name} copy`,
    code: `${draft.code}_copy`,
    charges: draft.charges.map((charge) => ({ ...charge, id: null, key: freshKey() })),
    fixed_charges: draft.fixed_charges.map((charge) => ({ ...charge, id: null, key: freshKey() })),
  };
}
