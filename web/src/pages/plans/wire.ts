/** From a plan on the wire to its draft and back; nothing here asks or shows anything. */
import type { Schema } from "@/api/client";
import { toCents, toDecimal } from "@/lib/money";
import {
  type ChargeDraft,
  type ChargeModel,
  type FilterDraft,
  type FixedChargeDraft,
  type Kept,
  NEW_PLAN,
  type PlanDraft,
} from "./draft";
import { isDecimal, priceFaults, readPrice, tidy, writePrice } from "./price";

export type Plan = Schema<"PlanOutput">;
type Body = Record<string, unknown>;

/** What is asked for one charge, filter or fixed charge alike. */
function kept(model: ChargeModel, properties: unknown): Kept {
  return { model, properties: properties as Record<string, unknown> };
}

/** A plan as it is edited. */
export function readPlan(plan: Plan): PlanDraft {
  const currency = plan.amount_currency;
  const amount = (cents: number) => toDecimal(cents, currency);
  const commitment = plan.minimum_commitment;
  const recurring = plan.usage_thresholds.find((one) => one.recurring);
  return {
    name: plan.name,
    code: plan.code,
    invoice_display_name: plan.invoice_display_name ?? "",
    description: plan.description ?? "",
    interval: plan.interval,
    currency,
    amount: amount(plan.amount_cents),
    pay_in_advance: plan.pay_in_advance,
    trial_period: plan.trial_period ? String(plan.trial_period) : "",
    bill_charges_monthly: plan.bill_charges_monthly ?? false,
    bill_fixed_charges_monthly: plan.bill_fixed_charges_monthly ?? false,
    tax_codes: codes(plan.taxes),
    charges: plan.charges.map((charge) => readCharge(charge, currency)),
    fixed_charges: plan.fixed_charges.map(readFixedCharge),
    commitment: commitment
      ? {
          amount: amount(commitment.amount_cents),
          invoice_display_name: commitment.invoice_display_name ?? "",
          tax_codes: codes(commitment.taxes),
        }
      : null,
    thresholds: plan.usage_thresholds
      .filter((one) => !one.recurring)
      .map((one) => ({ amount: amount(one.amount_cents), name: one.threshold_display_name ?? "" })),
    recurring_threshold: recurring
      ? { amount: amount(recurring.amount_cents), name: recurring.threshold_display_name ?? "" }
      : null,
    entitlements: plan.entitlements.map((grant) => ({
      code: grant.code,
      values: Object.fromEntries(grant.privileges.map((one) => [one.code, String(one.value)])),
    })),
    metadata: Object.entries(plan.metadata ?? {}).map(([key, value]) => ({ key, value: value ?? "" })),
  };
}

/** A charge as it is edited. */
export function readCharge(charge: Schema<"ChargeOutput">, currency: string): ChargeDraft {
  const model = charge.charge_model;
  const unit = charge.applied_pricing_unit;
  return {
    key: charge.lago_id,
    id: charge.lago_id,
    metric_id: charge.lago_billable_metric_id,
    metric_code: charge.billable_metric_code,
    code: charge.code,
    invoice_display_name: charge.invoice_display_name ?? "",
    charge_model: model,
    price: readPrice(model, charge.properties as Body),
    kept: kept(model, charge.properties),
    filters: charge.filters.map((filter) => ({
      key: filter.lago_id,
      values: filter.values,
      invoice_display_name: filter.invoice_display_name ?? "",
      price: readPrice(model, filter.properties as Body),
      kept: kept(model, filter.properties),
    })),
    pay_in_advance: charge.pay_in_advance,
    invoiceable: charge.invoiceable,
    regroup_paid_fees: charge.regroup_paid_fees === "invoice",
    prorated: charge.prorated,
    accepts_target_wallet: charge.accepts_target_wallet,
    min_amount: charge.min_amount_cents > 0 ? toDecimal(charge.min_amount_cents, currency) : "",
    tax_codes: codes(charge.taxes),
    pricing_unit: unit && { code: unit.code, conversion_rate: unit.conversion_rate },
  };
}

/** A fixed charge as it is edited. */
export function readFixedCharge(charge: Schema<"FixedChargeOutput">): FixedChargeDraft {
  const model = charge.charge_model;
  return {
    key: charge.lago_id,
    id: charge.lago_id,
    add_on_id: charge.lago_add_on_id,
    add_on_code: charge.add_on_code,
    code: charge.code,
    invoice_display_name: charge.invoice_display_name ?? "",
    charge_model: model,
    price: readPrice(model, charge.properties as Body),
    kept: kept(model, charge.properties),
    units: charge.units,
    apply_units_immediately: false,
    pay_in_advance: charge.pay_in_advance,
    prorated: charge.prorated,
    tax_codes: codes(charge.taxes),
  };
}

function codes(taxes: readonly { code: string }[]): string[] {
  return taxes.map(({ code }) => code);
}

/** A draft as the whole body of a plan. */
export function writePlan(draft: PlanDraft): Schema<"PlanCreateInput"> {
  const { currency } = draft;
  const cents = (typed: string) => toCents(typed || "0", currency) ?? 0;
  const commitment = draft.commitment && {
    amount_cents: cents(draft.commitment.amount),
    invoice_display_name: draft.commitment.invoice_display_name.trim() || null,
    tax_codes: draft.commitment.tax_codes,
  };
  return {
    name: draft.name.trim(),
    code: draft.code.trim(),
    invoice_display_name: draft.invoice_display_name.trim() || null,
    description: draft.description.trim() || null,
    interval: draft.interval,
    amount_cents: cents(draft.amount),
    amount_currency: currency,
    pay_in_advance: draft.pay_in_advance,
    trial_period: Number(tidy(draft.trial_period) || 0),
    bill_charges_monthly: draft.bill_charges_monthly && isLong(draft.interval),
    bill_fixed_charges_monthly: draft.bill_fixed_charges_monthly && isLong(draft.interval),
    tax_codes: draft.tax_codes,
    charges: draft.charges.map((charge) => writeCharge(charge, cents)) as never,
    fixed_charges: draft.fixed_charges.map(writeFixedCharge),
    minimum_commitment: commitment ?? {},
    usage_thresholds: [
      ...draft.thresholds.map((one) => ({
        amount_cents: cents(one.amount),
        threshold_display_name: one.name.trim() || null,
        recurring: false,
      })),
      ...(draft.recurring_threshold
        ? [
            {
              amount_cents: cents(draft.recurring_threshold.amount),
              threshold_display_name: draft.recurring_threshold.name.trim() || null,
              recurring: true,
            },
          ]
        : []),
    ],
    metadata: Object.fromEntries(draft.metadata.map(({ key, value }) => [key.trim(), value])),
  };
}

/** Whether a plan's interval is longer than a month, so that its charges can be billed by the month. */
export function isLong(interval: PlanDraft["interval"]): boolean {
  return interval === "yearly" || interval === "semiannual";
}

/** A charge's draft as its body; `cents` reads amounts as they are typed. */
export function writeCharge(charge: ChargeDraft, cents: (typed: string) => number): Body {
  return {
    ...(charge.id && { id: charge.id }),
    billable_metric_id: charge.metric_id,
    ...(charge.code && { code: charge.code }),
    invoice_display_name: charge.invoice_display_name.trim() || null,
    charge_model: charge.charge_model,
    properties: writePrice(charge.charge_model, charge.price, charge.kept),
    filters: charge.filters.map((filter) => writeFilter(charge.charge_model, filter)),
    pay_in_advance: charge.pay_in_advance,
    invoiceable: charge.invoiceable || !charge.pay_in_advance,
    regroup_paid_fees:
      charge.regroup_paid_fees && charge.pay_in_advance && !charge.invoiceable ? "invoice" : null,
    prorated: charge.prorated,
    accepts_target_wallet: charge.accepts_target_wallet,
    min_amount_cents: charge.pay_in_advance ? 0 : cents(charge.min_amount),
    tax_codes: charge.tax_codes,
    ...(charge.pricing_unit && { applied_pricing_unit: charge.pricing_unit }),
  };
}

function writeFilter(model: ChargeModel, filter: FilterDraft): Body {
  return {
    values: filter.values,
    invoice_display_name: filter.invoice_display_name.trim() || null,
    properties: writePrice(model, filter.price, filter.kept),
  };
}

/** A fixed charge's draft as its body. */
export function writeFixedCharge(charge: FixedChargeDraft): Schema<"NewFixedChargeFields"> {
  return {
    ...(charge.id && { id: charge.id }),
    add_on_id: charge.add_on_id,
    ...(charge.code && { code: charge.code }),
    invoice_display_name: charge.invoice_display_name.trim() || null,
    charge_model: charge.charge_model,
    properties: writePrice(charge.charge_model, charge.price, charge.kept),
    units: tidy(charge.units) || "0",
    ...(charge.apply_units_immediately && { apply_units_immediately: true }),
    pay_in_advance: charge.pay_in_advance,
    prorated: charge.prorated,
    tax_codes: charge.tax_codes,
  };
}

/** Entitlements as the API takes them: values by the codes of features and privileges, each of its type. */
export function writeEntitlements(
  draft: PlanDraft,
  features: readonly Schema<"FeatureOutput">[],
): Record<string, Record<string, string | number | boolean>> {
  return Object.fromEntries(
    draft.entitlements.map(({ code, values }) => {
      const privileges = features.find((one) => one.code === code)?.privileges ?? [];
      const typeOf = (name: string) => privileges.find((one) => one.code === name)?.value_type;
      return [
        code,
        Object.fromEntries(
          Object.entries(values)
            .filter(([, value]) => value !== "")
            .map(([name, value]) => [name, typed(value, typeOf(name))]),
        ),
      ];
    }),
  );
}

/** The value of a privilege as its type has it. */
export function typed(value: string, type: string | undefined): string | number | boolean {
  if (type === "boolean") return value === "true";
  if (type === "integer" && Number.isSafeInteger(Number(value))) return Number(value);
  return value;
}

/** What of a plan's body is another than it was: all that a change sends. */
export function changesOf(before: object, after: object): Body {
  const old = before as Body;
  return Object.fromEntries(
    Object.entries(after).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(old[name])),
  );
}

/** A request to the API, as it is sent and shown. */
export interface Request {
  method: "POST" | "PUT";
  path: string;
  body: Body;
}

interface Save {
  draft: PlanDraft;
  /** What was loaded, or the empty plan. */
  initial: PlanDraft;
  /** The saved plan's; undefined for a new one. */
  code: string | undefined;
  features: readonly Schema<"FeatureOutput">[];
  cascades: boolean;
}

/** What a save sends: the plan as far as it is changed, and its entitlements, which have a door of their own. */
export function requestsOf({ draft, initial, code, features, cascades }: Save): Request[] {
  const requests: Request[] = [];
  const written = writePlan(draft) as unknown as Body;
  if (code !== undefined) {
    const changes = changesOf(writePlan(initial), written);
    if (Object.keys(changes).length > 0) {
      const plan = cascades ? { ...changes, cascade_updates: true } : changes;
      requests.push({ method: "PUT", path: `/api/v1/plans/${encodeURIComponent(code)}`, body: { plan } });
    }
  } else if (JSON.stringify(draft) !== JSON.stringify({ ...NEW_PLAN, currency: initial.currency })) {
    const { minimum_commitment, ...others } = written;
    const plan = draft.commitment ? { ...others, minimum_commitment } : others;
    requests.push({ method: "POST", path: "/api/v1/plans", body: { plan } });
  }
  const before = code === undefined ? [] : initial.entitlements;
  if (JSON.stringify(draft.entitlements) !== JSON.stringify(before)) {
    const path = `/api/v1/plans/${encodeURIComponent(draft.code.trim())}/entitlements`;
    requests.push({ method: "POST", path, body: { entitlements: writeEntitlements(draft, features) } });
  }
  return requests;
}

/** How many things a save changes: each charge for itself. */
export function countChanges(before: PlanDraft, after: PlanDraft): number {
  const [old, now] = [writePlan(before), writePlan(after)];
  const plain = Object.keys(changesOf(old, now)).filter(
    (name) => name !== "charges" && name !== "fixed_charges",
  );
  const isSame = JSON.stringify(before.entitlements) === JSON.stringify(after.entitlements);
  return (
    plain.length +
    (isSame ? 0 : 1) +
    changedItems(before.charges, after.charges, (one) => writeCharge(one, Number)) +
    changedItems(before.fixed_charges, after.fixed_charges, writeFixedCharge)
  );
}

function changedItems<Item extends { key: string }>(
  before: readonly Item[],
  after: readonly Item[],
  write: (item: Item) => unknown,
): number {
  const old = new Map(before.map((item) => [item.key, JSON.stringify(write(item))]));
  const changed = after.filter((item) => old.get(item.key) !== JSON.stringify(write(item))).length;
  const gone = before.filter((item) => !after.some((one) => one.key === item.key)).length;
  return changed + gone;
}

/** What is wrong with a draft, by where it is: "name", "charges.0.tiers.1.to", "charges.0.filters.0.amount". */
export function faultsOf(draft: PlanDraft): Record<string, string> {
  const faults: Record<string, string> = {};
  const add = (at: string, found: Record<string, string>) => {
    for (const [name, fault] of Object.entries(found)) faults[`${at}.${name}`] = fault;
  };
  const amount = (at: string, text: string, isNeeded = true) => {
    if (text.trim() === "" ? isNeeded : toCents(text, draft.currency) === null)
      faults[at] = text.trim() ? `This is no amount of ${draft.currency}.` : "An amount is needed.";
  };
  if (!draft.name.trim()) faults.name = "A name is needed.";
  if (!draft.code.trim()) faults.code = "A code is needed.";
  amount("amount", draft.amount);
  if (!isDecimal(draft.trial_period)) faults.trial_period = "This is no number of days.";
  for (const [index, charge] of draft.charges.entries()) {
    const at = `charges.${index}`;
    add(at, priceFaults(charge.charge_model, charge.price));
    if (!charge.pay_in_advance) amount(`${at}.min_amount`, charge.min_amount, false);
    const rate = charge.pricing_unit?.conversion_rate;
    if (rate !== undefined && !isDecimal(rate, true)) faults[`${at}.conversion_rate`] = "A rate is needed.";
    for (const [place, filter] of charge.filters.entries()) {
      add(`${at}.filters.${place}`, priceFaults(charge.charge_model, filter.price));
    }
    for (const place of repeatedFilters(charge.filters))
      faults[`${at}.filters.${place}.values`] = "There is a price for these values.";
    for (const [place, filter] of charge.filters.entries())
      if (Object.values(filter.values).every((values) => values.length === 0))
        faults[`${at}.filters.${place}.values`] = "Choose at least one value.";
  }
  for (const [index, charge] of draft.fixed_charges.entries()) {
    add(`fixed_charges.${index}`, priceFaults(charge.charge_model, charge.price));
    if (!isDecimal(charge.units, true)) faults[`fixed_charges.${index}.units`] = "A number is needed.";
  }
  if (draft.commitment) amount("commitment.amount", draft.commitment.amount);
  for (const [index, one] of draft.thresholds.entries()) amount(`thresholds.${index}.amount`, one.amount);
  if (draft.recurring_threshold) amount("recurring_threshold.amount", draft.recurring_threshold.amount);
  for (const [index, one] of draft.metadata.entries())
    if (!one.key.trim() || draft.metadata.findIndex((other) => other.key.trim() === one.key.trim()) !== index)
      faults[`metadata.${index}.key`] = one.key.trim() ? "There is a value of this key." : "A key is needed.";
  return faults;
}

/** The places of filters whose values an earlier one has, whatever their order. */
function repeatedFilters(filters: readonly FilterDraft[]): number[] {
  const written = filters.map(({ values }) =>
    JSON.stringify(
      Object.entries(values)
        .map(([key, listed]) => [key, [...listed].sort()] as const)
        .sort(([one], [other]) => (one < other ? -1 : 1)),
    ),
  );
  return written.flatMap((one, index) => (written.indexOf(one) < index ? [index] : []));
}

/** Why something cannot be chosen for a charge, by the server's rules (pricing §5.1); undefined where it can. */
export function refusalsOf(
  charge: Pick<ChargeDraft, "charge_model" | "pay_in_advance">,
  metric: { aggregation_type: string; recurring: boolean },
): { inAdvance?: string; prorated?: string } {
  const kind = metric.aggregation_type;
  const counts = ["count_agg", "sum_agg", "unique_count_agg", "custom_agg"];
  const inAdvance = !counts.includes(kind)
    ? "One event of this metric has no price of its own."
    : charge.charge_model === "volume"
      ? "The tier of a volume price is known at the end of the period."
      : undefined;
  const models = charge.pay_in_advance ? ["standard"] : ["standard", "volume", "graduated"];
  const prorated = !metric.recurring
    ? "It needs a recurring metric."
    : kind === "weighted_sum_agg"
      ? "Units are weighted by time already."
      : !models.includes(charge.charge_model)
        ? `It needs the model ${charge.pay_in_advance ? "standard" : "standard, graduated or volume"}.`
        : undefined;
  return { ...(inAdvance && { inAdvance }), ...(prorated && { prorated }) };
}

/** Why a model does not go with a metric; undefined where it does. */
export function modelRefusal(model: ChargeModel, aggregation: string): string | undefined {
  if (model === "dynamic" && aggregation !== "sum_agg") return "It needs a metric that sums.";
  if (model === "custom" && aggregation !== "custom_agg")
    return "It needs a metric with an aggregation of its own.";
  return undefined;
}
