/** Prices of charges: from properties to what is typed and back, in words, and where to look at their curve. */
import type { Schema } from "@/api/client";
import { price as money, percent, units } from "@/lib/money";
import { type ChargeModel, type Kept, NO_PRICE, type PriceDraft, type Tier } from "./draft";

type Properties = Record<string, unknown>;

/** All models in the order of the editor: the four of most plans first. */
export const MODELS: { value: ChargeModel; label: string; about: string; path: string }[] = [
  { value: "standard", label: "Standard", about: "Each unit costs the same.", path: "M2 24 78 3" },
  {
    value: "graduated",
    label: "Graduated",
    about: "Each unit costs the price of the tier it falls in.",
    path: "M2 24 24 12 50 6 78 3",
  },
  {
    value: "volume",
    label: "Volume",
    about: "All units cost the price of the tier that their total falls in.",
    path: "M2 24 26 8M26 13 52 5M52 9 78 3",
  },
  {
    value: "package",
    label: "Package",
    about: "Units are sold by packages; one that is opened is paid in full.",
    path: "M2 24V19H20V14H39V9H58V4H78",
  },
  {
    value: "percentage",
    label: "Percentage",
    about: "A share of the amounts in the events, and a fee for each event.",
    path: "M2 20 20 20 78 3",
  },
  {
    value: "graduated_percentage",
    label: "Graduated %",
    about: "A share that differs by tiers.",
    path: "M2 24 22 17 46 11 78 8",
  },
  {
    value: "dynamic",
    label: "Dynamic",
    about: "Each event brings its own price, as precise_total_amount_cents.",
    path: "M2 20 16 12 28 17 42 6 56 13 78 4",
  },
  {
    value: "custom",
    label: "Custom",
    about: "Priced by the aggregation of the metric itself.",
    path: "M2 22 20 22 20 8 50 8 50 15 78 15",
  },
];

export const FIXED_MODELS: readonly ChargeModel[] = ["standard", "graduated", "volume"];

export function modelWord(model: ChargeModel): string {
  if (model === "graduated_percentage") return "Graduated percentage";
  return MODELS.find((one) => one.value === model)?.label ?? model;
}

/** Models whose price is in the events: there is no curve. */
export function hasCurve(model: ChargeModel): boolean {
  return model !== "dynamic" && model !== "custom";
}

const text = (value: unknown): string => (value === null || value === undefined ? "" : String(value));

/** What is typed for the properties of a charge. */
export function readPrice(model: ChargeModel, properties: Properties): PriceDraft {
  const of = (name: string) => text(properties[name]);
  const list = (properties.graduated_ranges ?? properties.volume_ranges) as Properties[] | undefined;
  const rates = properties.graduated_percentage_ranges as Properties[] | undefined;
  const shown = (properties.presentation_group_keys ?? []) as {
    value: string;
    options?: { display_in_invoice?: boolean };
  }[];
  return {
    ...NO_PRICE,
    amount: of("amount"),
    package_size: of("package_size"),
    free_units: of("free_units"),
    rate: of("rate"),
    fixed_amount: of("fixed_amount"),
    free_units_per_events: of("free_units_per_events"),
    free_units_per_total_aggregation: of("free_units_per_total_aggregation"),
    per_transaction_min_amount: of("per_transaction_min_amount"),
    per_transaction_max_amount: of("per_transaction_max_amount"),
    tiers: list?.length ? list.map((tier) => readTier(tier, "per_unit_amount")) : NO_PRICE.tiers,
    rates: rates?.length ? rates.map((tier) => readTier(tier, "rate")) : NO_PRICE.rates,
    custom: model === "custom" ? JSON.stringify(properties.custom_properties ?? {}, null, 2) : "",
    pricing_group_keys: (properties.pricing_group_keys ?? properties.grouped_by ?? []) as string[],
    presentation_group_keys: shown.map((key) => ({
      value: key.value,
      isShown: key.options?.display_in_invoice ?? false,
    })),
  };
}

function readTier(tier: Properties, price: "per_unit_amount" | "rate"): Tier {
  return { to: text(tier.to_value), price: text(tier[price]), flat: text(tier.flat_amount) };
}

/** The properties that a price has on the wire; those that came, where nothing of them was changed. */
export function writePrice(model: ChargeModel, draft: PriceDraft, kept: Kept | null): Properties {
  const written = propertiesOf(model, draft);
  if (kept?.model === model) {
    const before = propertiesOf(model, readPrice(model, kept.properties));
    if (JSON.stringify(before) === JSON.stringify(written)) return kept.properties;
  }
  return written;
}

function propertiesOf(model: ChargeModel, draft: PriceDraft): Properties {
  const shown = draft.presentation_group_keys.map(({ value, isShown }) => ({
    value,
    options: { display_in_invoice: isShown },
  }));
  return {
    ...ownProperties(model, draft),
    ...(draft.pricing_group_keys.length > 0 && { pricing_group_keys: draft.pricing_group_keys }),
    ...(shown.length > 0 && { presentation_group_keys: shown }),
  };
}

function ownProperties(model: ChargeModel, draft: PriceDraft): Properties {
  switch (model) {
    case "standard":
      return { amount: decimal(draft.amount) };
    case "package":
      return {
        amount: decimal(draft.amount),
        package_size: whole(draft.package_size, 1),
        free_units: whole(draft.free_units, 0),
      };
    case "percentage": {
      const events = tidy(draft.free_units_per_events);
      return {
        rate: decimal(draft.rate),
        ...given("fixed_amount", draft.fixed_amount),
        ...(events && { free_units_per_events: Number(events) }),
        ...given("free_units_per_total_aggregation", draft.free_units_per_total_aggregation),
        ...given("per_transaction_min_amount", draft.per_transaction_min_amount),
        ...given("per_transaction_max_amount", draft.per_transaction_max_amount),
      };
    }
    case "graduated":
      return { graduated_ranges: writeTiers(draft.tiers, "per_unit_amount") };
    case "volume":
      return { volume_ranges: writeTiers(draft.tiers, "per_unit_amount") };
    case "graduated_percentage":
      return { graduated_percentage_ranges: writeTiers(draft.rates, "rate") };
    case "custom":
      return { custom_properties: parseJson(draft.custom) ?? {} };
    case "dynamic":
      return {};
  }
}

function writeTiers(tiers: readonly Tier[], price: "per_unit_amount" | "rate"): Properties[] {
  return tiers.map((tier, index) => ({
    from_value: number(fromOf(tiers, index)),
    to_value: index === tiers.length - 1 ? null : number(tidy(tier.to)),
    [price]: decimal(tier.price),
    flat_amount: decimal(tier.flat),
  }));
}

/** Where a tier begins: the unit after the tier before, or its very edge where edges are no whole numbers. */
export function fromOf(tiers: readonly Tier[], index: number): string {
  if (index === 0) return "0";
  const edge = tidy(tiers[index - 1]?.to ?? "");
  return /^\d+$/.test(edge) ? (BigInt(edge) + 1n).toString() : edge;
}

const given = (name: string, typed: string) => (tidy(typed) ? { [name]: decimal(typed) } : {});

/**
 * A number as it is typed as the wire has it: without grouping, with a point. A comma that may be either ("500,000") stays, so that
 * it is refused instead of being read as a thousandth.
 */
export function tidy(typed: string): string {
  const plain = typed.replaceAll(/[\s\u00a0\u202f'’]/g, "");
  if (/^\d{1,3}(,\d{3})+\.\d+$/.test(plain) || /^\d{1,3}(,\d{3}){2,}$/.test(plain))
    return plain.replaceAll(",", "");
  if (/^[1-9]\d{0,2},\d{3}$/.test(plain)) return plain;
  return plain.replace(",", ".");
}

/** A number as a field shows it: 500 000, by thin spaces. What is no number stays as it is. */
export function grouped(typed: string): string {
  if (!isDecimal(typed, true)) return typed;
  const [whole = "", fraction] = tidy(typed).split(".");
  const digits = whole.replaceAll(/\B(?=(\d{3})+$)/g, "\u202f");
  return fraction === undefined ? digits : `${digits}.${fraction}`;
}

function decimal(typed: string): string {
  return tidy(typed) || "0";
}

function whole(typed: string, otherwise: number): number {
  const found = tidy(typed);
  return found ? Number(found) : otherwise;
}

function number(digits: string): number | string {
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : digits;
}

/** The object in a JSON text; null where there is none. */
export function parseJson(typed: string): Properties | null {
  try {
    const value: unknown = JSON.parse(typed || "{}");
    return value && typeof value === "object" && !Array.isArray(value) ? (value as Properties) : null;
  } catch {
    return null;
  }
}

function faultIn(typed: string): string {
  if (!tidy(typed)) return "This is needed.";
  return tidy(typed).includes(",") ? "Write it without the comma." : "This is no number.";
}

const DECIMAL = /^\d{1,15}(\.\d{1,15})?$/;
const INTEGER = /^\d{1,15}$/;

/** Whether a text is a number of units or an amount that is not negative; "" is where it may be left out. */
export function isDecimal(typed: string, isNeeded = false): boolean {
  const found = tidy(typed);
  return found === "" ? !isNeeded : DECIMAL.test(found);
}

/** What is wrong with a price that is typed, by the name of the field; tiers as "tiers.0.to". */
export function priceFaults(model: ChargeModel, draft: PriceDraft): Record<string, string> {
  const faults: Record<string, string> = {};
  const check = (name: string, typed: string, isNeeded = false) => {
    if (!isDecimal(typed, isNeeded)) faults[name] = faultIn(typed);
  };
  if (model === "standard") check("amount", draft.amount, true);
  if (model === "package") {
    check("amount", draft.amount, true);
    const size = tidy(draft.package_size);
    if (!INTEGER.test(size) || /^0+$/.test(size)) faults.package_size = "A whole number over 0 is needed.";
    if (draft.free_units && !INTEGER.test(tidy(draft.free_units)))
      faults.free_units = "This is no whole number.";
  }
  if (model === "percentage") {
    check("rate", draft.rate, true);
    for (const name of [
      "fixed_amount",
      "free_units_per_total_aggregation",
      "per_transaction_min_amount",
      "per_transaction_max_amount",
    ] as const)
      check(name, draft[name]);
    if (draft.free_units_per_events && !INTEGER.test(tidy(draft.free_units_per_events)))
      faults.free_units_per_events = "This is no whole number.";
    const [least, most] = [tidy(draft.per_transaction_min_amount), tidy(draft.per_transaction_max_amount)];
    if (least && most && isDecimal(least) && isDecimal(most) && compare(least, most) > 0)
      faults.per_transaction_max_amount = "This is below the least amount.";
  }
  if (model === "graduated" || model === "volume") Object.assign(faults, tierFaults("tiers", draft.tiers));
  if (model === "graduated_percentage") Object.assign(faults, tierFaults("rates", draft.rates));
  if (model === "custom" && !parseJson(draft.custom)) faults.custom = "This is no JSON object.";
  return faults;
}

function tierFaults(name: string, tiers: readonly Tier[]): Record<string, string> {
  const faults: Record<string, string> = {};
  for (const [index, tier] of tiers.entries()) {
    const at = `${name}.${index}`;
    if (index < tiers.length - 1) {
      const from = fromOf(tiers, index);
      if (!isDecimal(tier.to, true)) faults[`${at}.to`] = faultIn(tier.to);
      else if (index > 0 && isDecimal(from, true) && compare(tidy(tier.to), from) < 0)
        faults[`${at}.to`] = `This is below ${units(from)}, where the tier begins.`;
      else if (index === 0 && isDecimal(tier.to) && compare(tidy(tier.to), "0") <= 0)
        faults[`${at}.to`] = "This is not over 0.";
    }
    if (!isDecimal(tier.price, true)) faults[`${at}.price`] = faultIn(tier.price);
    if (!isDecimal(tier.flat)) faults[`${at}.flat`] = faultIn(tier.flat);
  }
  return faults;
}

/** Compares two decimal numbers by their digits: below 0, 0 or above 0. */
export function compare(one: string, other: string): number {
  const [a, b] = [one.split("."), other.split(".")];
  const scale = Math.max(a[1]?.length ?? 0, b[1]?.length ?? 0);
  const scaled = ([integer = "0", fraction = ""]: string[]) => BigInt(integer + fraction.padEnd(scale, "0"));
  const difference = scaled(a) - scaled(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** A tier more, below the last one: the open end moves up. */
export function addTier(tiers: readonly Tier[]): Tier[] {
  const open = tiers.at(-1) ?? { to: "", price: "", flat: "" };
  const edge = tidy(tiers.at(-2)?.to ?? "");
  const next = /^\d+$/.test(edge) && edge !== "0" ? (BigInt(edge) * 2n).toString() : "100";
  return [...tiers.slice(0, -1), { ...open, to: next }, { to: "", price: open.price, flat: "" }];
}

/** A tier less: what is above it begins where it began, and the last one stays open. */
export function removeTier(tiers: readonly Tier[], index: number): Tier[] {
  const left = tiers.filter((_, at) => at !== index);
  return left.map((tier, at) => (at === left.length - 1 ? { ...tier, to: "" } : tier));
}

/** A price in a few words, for a line of a list. */
export function priceWords(model: ChargeModel, properties: Properties, currency: string): string {
  const draft = readPrice(model, properties);
  const amount = (typed: string) => money(decimal(typed), currency);
  switch (model) {
    case "standard":
      return `${amount(draft.amount)} per unit`;
    case "package":
      return `${amount(draft.amount)} per ${units(draft.package_size || "1")}`;
    case "percentage": {
      const fee = tidy(draft.fixed_amount);
      return `${percent(decimal(draft.rate))}${fee && compare(fee, "0") > 0 ? ` + ${amount(fee)} an event` : ""}`;
    }
    case "graduated":
    case "volume":
      return span(draft.tiers, amount);
    case "graduated_percentage":
      return span(draft.rates, (rate) => percent(decimal(rate)));
    case "dynamic":
      return "price in the events";
    case "custom":
      return "custom";
  }
}

function span(tiers: readonly Tier[], show: (price: string) => string): string {
  const prices = tiers.map((tier) => decimal(tier.price)).sort(compare);
  const [least, most] = [prices[0]!, prices.at(-1)!];
  return compare(least, most) === 0 ? `${show(least)} per unit` : `from ${show(least)} to ${show(most)}`;
}

/** A price in full, a line a tier or a rule. */
export function priceLines(model: ChargeModel, properties: Properties, currency: string): string[] {
  const draft = readPrice(model, properties);
  const amount = (typed: string) => money(decimal(typed), currency);
  switch (model) {
    case "package": {
      const free = tidy(draft.free_units);
      return [
        ...(free && free !== "0" ? [`The first ${units(free)} units are free`] : []),
        `${amount(draft.amount)} for each ${units(draft.package_size || "1")} units begun`,
      ];
    }
    case "percentage":
      return percentageLines(draft, amount);
    case "graduated":
    case "volume":
      return tierLines(draft.tiers, (price) => `${amount(price)} a unit`, amount);
    case "graduated_percentage":
      return tierLines(draft.rates, (rate) => percent(decimal(rate)), amount);
    case "standard":
      return [`${amount(draft.amount)} a unit`];
    case "dynamic":
      return ["The price comes with each event"];
    case "custom":
      return ["Priced by the metric’s own aggregation"];
  }
}

function percentageLines(draft: PriceDraft, amount: (typed: string) => string): string[] {
  const lines = [`${percent(decimal(draft.rate))} of the amount`];
  if (tidy(draft.fixed_amount)) lines.push(`${amount(draft.fixed_amount)} for each event`);
  if (tidy(draft.free_units_per_events))
    lines.push(`The first ${units(tidy(draft.free_units_per_events))} events are free`);
  if (tidy(draft.free_units_per_total_aggregation))
    lines.push(`The first ${amount(draft.free_units_per_total_aggregation)} are free`);
  if (tidy(draft.per_transaction_min_amount))
    lines.push(`At least ${amount(draft.per_transaction_min_amount)} an event`);
  if (tidy(draft.per_transaction_max_amount))
    lines.push(`At most ${amount(draft.per_transaction_max_amount)} an event`);
  return lines;
}

function tierLines(
  tiers: readonly Tier[],
  show: (price: string) => string,
  amount: (typed: string) => string,
): string[] {
  return tiers.map((tier, index) => {
    const isLast = index === tiers.length - 1;
    const from = units(fromOf(tiers, index));
    const range = isLast ? (index === 0 ? "All units" : `From ${from}`) : `${from}–${units(tidy(tier.to))}`;
    const flat = tidy(tier.flat);
    return `${range}: ${show(tier.price)}${flat && compare(flat, "0") > 0 ? `, ${amount(flat)} flat` : ""}`;
  });
}

/** The edges of a price's tiers, in units. */
export function edgesOf(model: ChargeModel, draft: PriceDraft): string[] {
  const tiers = model === "graduated_percentage" ? draft.rates : draft.tiers;
  if (model !== "graduated" && model !== "volume" && model !== "graduated_percentage") return [];
  return tiers.slice(0, -1).map((tier) => tidy(tier.to));
}

/** How far a curve goes: well over the last edge, or over some packages; a round number of units. */
export function curveEnd(model: ChargeModel, draft: PriceDraft, kind: Aggregation): number {
  if (model === "percentage") return kind === "sum_agg" ? 1000 : 200;
  if (model === "package") {
    const size = Number(tidy(draft.package_size)) || 1;
    return rounded(size * 5 + (Number(tidy(draft.free_units)) || 0));
  }
  const last = Number(edgesOf(model, draft).at(-1) ?? 0);
  return last > 0 ? rounded(last * 2) : 1000;
}

type Aggregation = Schema<"AggregationType">;

/** The next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten. */
export function rounded(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((one) => one * power >= value) ?? 10;
  return Math.max(1, Math.round(step * power));
}

/**
 * Where to look at a curve, ascending: at even distances, on both sides of every edge, and at both ends.
 * Few enough for one question, also of percentages, for which events have to be made up.
 */
export function curveUnits(model: ChargeModel, draft: PriceDraft, end: number, steps = 48): string[] {
  const places = new Set<number>([0, end]);
  for (let index = 1; index < steps; index += 1) places.add(Math.round((end * index) / steps));
  for (const edge of edgesOf(model, draft)) {
    const at = Number(edge);
    if (at > 0 && at < end) for (const one of [at, at + (Number.isInteger(at) ? 1 : 0)]) places.add(one);
  }
  if (model === "package") {
    const size = Number(tidy(draft.package_size)) || 1;
    const free = Number(tidy(draft.free_units)) || 0;
    for (let at = free; at < end && places.size < 140; at += size) {
      places.add(at);
      places.add(at + 1);
    }
  }
  return [...places]
    .filter((one) => one <= end)
    .sort((a, b) => a - b)
    .map(String);
}
