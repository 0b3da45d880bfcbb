/** An explanation of the wire as the steps of a proof that people read: what was counted, priced, shared, rounded. */

import { daysBetween, halfOpenPeriod } from "@/lib/dates";
import {
  compare,
  decimalText,
  dividedBy,
  type Exact,
  exact,
  isSame,
  minus,
  plus,
  sum,
  times,
  ZERO,
} from "@/lib/exact";
import { money, percent, price, units } from "@/lib/money";
import { countWords } from "@/lib/words";
import { list, number, record, type Step, subunits } from "./recompute";

/** A share of a period: 20 of 31 days. */
export interface Share {
  over: number;
  under: number;
}

export interface ProofLine {
  what: string;
  /** What the line is multiplied with, set as a fraction. */
  share?: Share;
  /** The days of the period that the share stands for, where it is of whole days. */
  days?: Share;
  value: string;
  /** What of the page proves the value itself, where it can be asked: its name in the address. */
  why?: string;
}

export interface Band {
  label: string;
  /** Of the width of the bar, 0 to 1. */
  from: number;
  to: number;
}

/** Units laid into tiers; `step` counts the changes that they came by, from 0. */
export interface Fill {
  from: number;
  to: number;
  step: number;
  label?: string;
}

export interface ProofStep {
  title: string;
  about?: string;
  result?: string;
  lines?: ProofLine[];
  /** What the lines come to exactly. */
  total?: ProofLine & { fraction?: { over: string; under: string } };
  bar?: { bands: Band[]; fills: Fill[]; label: string };
  note?: string;
  look?: "fee" | "tax";
}

export interface Proof {
  period?: string;
  steps: ProofStep[];
}

const AGGREGATIONS: Record<string, string> = {
  count_agg: "number of events",
  sum_agg: "sum",
  max_agg: "highest value",
  unique_count_agg: "different values",
  latest_agg: "latest value",
  weighted_sum_agg: "sum, weighted by time",
  custom_agg: "custom aggregation",
};

interface Reading {
  steps: readonly Step[];
  currency: string;
  /** An amount of what prices are in. */
  price: (amount: string) => string;
  days: number | undefined;
}

/** The proof of a fee, or of the usage of a charge. */
export function proofOfFee(steps: readonly Step[], currency: string): Proof {
  const period = steps.find((step) => step.step === "period");
  const conversion = steps.find((step) => step.step === "conversion");
  const unit = conversion ? String(conversion.pricing_unit) : null;
  const reading: Reading = {
    steps,
    currency,
    price: (amount) => (unit ? `${units(amount)} ${unit}` : price(amount, currency)),
    days: period && daysBetween(text(period.from), text(period.to), text(period.timezone)),
  };
  return {
    ...(period && { period: halfOpenPeriod(text(period.from), text(period.to), text(period.timezone)) }),
    steps: steps.flatMap((step) => stepsOf(step, reading)),
  };
}

function stepsOf(step: Step, reading: Reading): ProofStep[] {
  const { currency } = reading;
  const cents = (value: unknown) => centsText(value, currency);
  switch (step.step) {
    case "period":
      return [];
    case "aggregation":
      return aggregation(step, reading);
    case "rounding_of_units":
      return [
        { title: "Units", about: roundingOf(step.function, step.precision), result: units(text(step.value)) },
      ];
    case "units":
      return [
        {
          title: "Units",
          ...(step.billed !== undefined && { about: `${units(text(step.billed))} were billed before` }),
          result: units(text(step.value)),
        },
      ];
    case "proration":
      return step.fraction === undefined ? proratedUnits(step, reading) : [proratedAmount(step, reading)];
    case "pricing":
      return pricing(step, reading);
    case "base_amount":
      return [{ title: "Price", about: "of a whole period", result: cents(step.amount_cents) }];
    case "billed_in_advance":
      return [{ title: "Billed in advance", about: "event by event", result: cents(step.amount_cents) }];
    case "high_water_mark":
      return [{ title: "Highest so far", about: "only what lies above it is billed" }];
    case "minimum":
      return [
        {
          title: "Minimum",
          about: `less ${cents(step.used_cents)} of usage`,
          result: cents(step.amount_cents),
        },
      ];
    case "credit":
      return [{ title: "Paid before", about: "by the plan before", result: `−${cents(step.amount_cents)}` }];
    case "conversion":
      return [
        {
          title: "Conversion",
          about: `${decimalText(dividedBy(number(step.pricing_unit_amount_cents), exact(100)), 2)} ${text(step.pricing_unit)} at ${price(text(step.conversion_rate), currency)}`,
          result: shortPrice(number(step.amount), currency),
        },
      ];
    case "adjustment":
      return [
        {
          title: "Adjusted by hand",
          about:
            step.unit_amount === undefined
              ? `${units(text(step.units))} units`
              : `${units(text(step.units))} × ${reading.price(text(step.unit_amount))}`,
          result: reading.price(text(step.amount)),
        },
      ];
    case "correction":
      return [
        {
          title: "Corrected events",
          about: "what they cost beyond what was billed",
          lines: list(step.lines).map((line) => ({
            what: `${cents(line.amount_cents)} less ${cents(line.billed_cents)} billed`,
            value: cents(String(BigInt(text(line.amount_cents)) - BigInt(text(line.billed_cents)))),
          })),
          result: cents(step.amount_cents),
        },
      ];
    case "rounding":
      return [
        { title: "Rounding", about: "to the cent, half away from zero", result: cents(step.amount_cents) },
        { title: "Fee", about: "before tax", result: cents(step.amount_cents), look: "fee" },
      ];
    default:
      return [{ title: text(step.step).replaceAll("_", " ") }];
  }
}

function aggregation(step: Step, { steps }: Reading): ProofStep[] {
  const count = Number(step.events_count);
  const where = [
    ...Object.entries(record(step.filter)).map(
      ([key, values]) => `${key} ${(values as string[]).join(", ")}`,
    ),
    ...Object.entries(record(step.group)).map(([key, value]) => `${key} ${value ?? "none"}`),
  ];
  const changes = list(steps.find((one) => one.step === "proration" && one.changes)?.changes);
  const events: ProofStep = {
    title: "Events",
    about: `${countWords(count, "event")}${where.length > 0 ? `, ${where.join(", ")}` : ""}`,
  };
  const [first] = changes;
  const startsFull = first !== undefined && isSame(number(first.fraction), exact(1));
  if (changes.length > 0) {
    events.lines = changes.map((change, index) => ({
      what: index === 0 && startsFull ? "At the start" : `Change ${index + (startsFull ? 0 : 1)}`,
      value: signed(text(change.units), index > 0),
    }));
  }
  const how = AGGREGATIONS[text(step.aggregation_type)] ?? text(step.aggregation_type);
  return [
    events,
    {
      title: "Aggregation",
      about: `${how} of ${text(step.billable_metric_code)}`,
      result: units(shortUnits(step.value)),
    },
  ];
}

/** Units that were there for a part of the period: shown with their price where tiers are priced change by change. */
function proratedUnits(step: Step, reading: Reading): ProofStep[] {
  const pricingStep = reading.steps.find((one) => one.step === "pricing");
  if (list(pricingStep?.lines).some((line) => line.share !== undefined)) return [];
  const lines = list(step.changes).map((change): ProofLine => {
    const share = number(change.fraction);
    return {
      what: units(text(change.units)),
      ...shareOf(share, reading.days),
      value: decimalText(times(number(change.units), share), 3),
    };
  });
  return [
    {
      title: "Proration",
      about: reading.days ? `days present, of the ${reading.days} of the period` : "by time present",
      ...(lines.length > 0 && { lines }),
      result: `${units(text(step.units))} units`,
    },
  ];
}

function proratedAmount(step: Step, reading: Reading): ProofStep {
  const said = step.amount_cents !== undefined;
  const exactly = said
    ? dividedBy(number(step.amount_cents), subunits(reading.currency))
    : number(step.amount);
  // The fraction is of days as it stands: 20/30 is not 2/3 of a month.
  const [over = 0, under = 1] = text(step.fraction).split("/").map(Number);
  return {
    title: "Proration",
    about: "days of the period that are billed",
    lines: [
      {
        what: `${over} of ${under} days`,
        share: { over, under },
        ...(under <= 62 && { days: { over, under } }),
        value: decimalText(exactly, 4),
      },
    ],
  };
}

function pricing(step: Step, reading: Reading): ProofStep[] {
  const model = text(step.charge_model).replaceAll("_", " ");
  const amount = number(step.amount);
  const exactly = { what: "Exactly", value: decimalText(amount, 6) };
  if (step.units_of_event !== undefined) {
    return [
      {
        title: "Price",
        about: `${model}: of ${units(text(step.units_with_event))} units with this event, less what they cost without`,
        result: decimalText(amount, 6),
      },
    ];
  }
  if (step.amount_of_billed !== undefined) {
    return [
      {
        title: "Price",
        about: `${model}: what all units cost, less those billed before`,
        lines: [
          { what: "All units", value: reading.price(text(step.amount_of_units)) },
          { what: "Billed before", value: `−${reading.price(text(step.amount_of_billed))}` },
        ],
        total: exactly,
      },
    ];
  }
  const lines = list(step.lines);
  if (lines.some((line) => line.share !== undefined)) return changesInTiers(step, lines, reading);
  const tiers = lines.filter((line) => line.from !== undefined);
  if (tiers.length > 0 && step.charge_model !== "standard") {
    const isVolume = step.charge_model === "volume";
    return [
      {
        title: "Tiers",
        about: isVolume ? "all units cost the price of their tier" : "each unit costs the price of its tier",
        ...barOf(step, [sum(tiers.map((line) => number(line.units)))], reading),
        lines: tiers.map((line) => tierLine(line, reading)),
        total: exactly,
      },
    ];
  }
  return [{ title: "Price", about: model, ...plainPrice(step, reading), total: exactly }];
}

function tierLine(line: Step, reading: Reading): ProofLine {
  const flat = number(line.flat_amount);
  const each =
    line.unit_amount !== undefined ? reading.price(text(line.unit_amount)) : percent(text(line.rate));
  const more = isSame(flat, ZERO) ? "" : ` + ${reading.price(text(line.flat_amount))}`;
  return { what: `${units(text(line.units))} × ${each}${more}`, value: decimalText(number(line.amount), 3) };
}

function plainPrice(step: Step, reading: Reading): { lines?: ProofLine[] } {
  const properties = record(step.properties);
  const details = record(step.details);
  const before = unitsBefore(step, reading.steps);
  switch (step.charge_model) {
    case "standard":
      return before === null
        ? {}
        : {
            lines: [
              {
                what: `${units(before)} × ${reading.price(text(properties.amount))}`,
                value: decimalText(times(exact(before), number(properties.amount)), 3),
              },
            ],
          };
    case "package": {
      const size = text(properties.package_size);
      const packages = isSame(number(properties.amount), ZERO)
        ? ZERO
        : dividedBy(number(step.amount), number(properties.amount));
      return {
        lines: [
          { what: `Packages of ${units(size)}, opened ones count`, value: decimalText(packages, 3) },
          {
            what: `${decimalText(packages, 3)} × ${reading.price(text(properties.amount))}`,
            value: decimalText(number(step.amount), 3),
          },
        ],
      };
    }
    case "percentage":
      return { lines: percentageLines(details, reading) };
    default:
      return {};
  }
}

function percentageLines(details: Step, reading: Reading): ProofLine[] {
  if (details.paid_units === undefined) return [];
  const lines: ProofLine[] = [
    {
      what: `${units(text(details.paid_units))} × ${percent(text(details.rate))}`,
      value: decimalText(number(details.per_unit_total_amount), 3),
    },
  ];
  if (Number(details.paid_events) > 0 && !isSame(number(details.fixed_fee_total_amount), ZERO)) {
    lines.push({
      what: `${text(details.paid_events)} events × ${reading.price(text(details.fixed_fee_unit_amount))}`,
      value: decimalText(number(details.fixed_fee_total_amount), 3),
    });
  }
  if (Number(details.free_events) > 0) {
    lines.unshift({
      what: `${text(details.free_events)} events are free, of ${units(text(details.free_units))}`,
      value: "0",
    });
  }
  const bounds = number(details.min_max_adjustment_total_amount);
  if (!isSame(bounds, ZERO))
    lines.push({ what: "Least and most of an event", value: decimalText(bounds, 3) });
  return lines;
}

/** The units that a price was applied to: of the step before it. */
function unitsBefore(step: Step, steps: readonly Step[]): string | null {
  for (const one of steps.slice(0, steps.indexOf(step)).reverse()) {
    if (one.units !== undefined) return text(one.units);
    if (one.value !== undefined) return text(one.value);
  }
  return null;
}

interface Tier {
  floor: Exact;
  to: Exact | null;
  price: Exact;
  flat: Exact;
  word: string;
}

function tiersOf(step: Step, reading: Reading): Tier[] {
  const properties = record(step.properties);
  const [name] = Object.keys(properties).filter((key) => key.endsWith("_ranges"));
  let floor = ZERO;
  return list(name && properties[name]).map((row) => {
    const to = row.to_value === null || row.to_value === undefined ? null : number(row.to_value);
    const each =
      row.per_unit_amount !== undefined ? reading.price(text(row.per_unit_amount)) : percent(text(row.rate));
    const first = decimalText(plus(floor, exact(1)), 0);
    const range = to === null ? `${units(first)}+` : `${units(first)}–${units(decimalText(to, 3))}`;
    const found: Tier = {
      floor,
      to,
      price: number(row.per_unit_amount ?? 0),
      flat: number(row.flat_amount ?? 0),
      word: `${range} at ${each}`,
    };
    floor = to ?? floor;
    return found;
  });
}

/** Seats that came and went, laid into tiers: each change at the price of the tiers that it fills, for its share of time. */
function changesInTiers(step: Step, changes: readonly Step[], reading: Reading): ProofStep[] {
  const tiers = tiersOf(step, reading);
  const isGrowing = changes.every((change) => compare(number(change.units), ZERO) >= 0);
  const amount = number(step.amount);
  const lines: ProofLine[] = [];
  let total = ZERO;
  let reached = ZERO;
  for (const change of changes) {
    const share = number(change.share);
    let left = number(change.units);
    for (const tier of isGrowing ? tiers : []) {
      const end = tier.to;
      if (compare(left, ZERO) <= 0 || (end !== null && compare(reached, end) >= 0)) continue;
      const room = end === null ? left : minus(end, reached);
      const taken = compare(left, room) < 0 ? left : room;
      const value = times(times(taken, tier.price), share);
      lines.push({
        what: `${units(decimalText(taken, 6))} × ${priceText(tier.price, reading)}`,
        ...shareOf(share, reading.days),
        value: decimalText(value, 3),
      });
      total = plus(total, value);
      reached = plus(reached, taken);
      left = minus(left, taken);
    }
  }
  const flats = sum(
    tiers
      .filter((tier) => compare(tier.floor, reached) < 0 || isSame(tier.floor, ZERO))
      .map((tier) => tier.flat),
  );
  if (!isSame(flats, ZERO)) {
    lines.push({ what: "Flat amounts of the tiers", value: decimalText(flats, 3) });
    total = plus(total, flats);
  }
  // The wire has twenty decimals of it; where the tiers do not come to the amount, they are not how it came to be.
  const isWhole = isGrowing && stem(total) === stem(amount);
  const sizes = isGrowing ? changes.map((change) => number(change.units)) : [];
  const about = reading.days ? `days present, of the ${reading.days} of the period` : "by time present";
  return [
    { title: "Tiers", about: "each unit costs the price of its tier", ...barOf(step, sizes, reading) },
    isWhole
      ? { title: "Proration", about, lines, total: { ...exactTotal(total), value: decimalText(total, 6) } }
      : {
          title: "Proration",
          about,
          lines: changes.map((change) => ({
            what: signed(text(change.units), true),
            ...shareOf(number(change.share), reading.days),
            value: "",
          })),
          total: { what: "Exactly", value: decimalText(amount, 6) },
        },
  ];
}

function stem(amount: Exact): string {
  return decimalText(amount, 12).replace("…", "");
}

function exactTotal(total: Exact): ProofLine & { fraction?: { over: string; under: string } } {
  const line = { what: "Exactly", value: "" };
  if (total.under === 1n || 10n ** 12n % total.under === 0n) return line;
  return { ...line, fraction: { over: units(total.over.toString()), under: units(total.under.toString()) } };
}

/** Tiers as bands, and the units that fill them, in the order in which they came. */
function barOf(step: Step, sizes: readonly Exact[], reading: Reading): Pick<ProofStep, "bar"> {
  const tiers = tiersOf(step, reading);
  const reached = sum(sizes);
  if (tiers.length < 2 || compare(reached, ZERO) <= 0) return {};
  const last = tiers.find((tier) => tier.to === null || compare(reached, tier.to) <= 0) ?? tiers.at(-1)!;
  const widths = drawn(reached) * 1.08;
  const end = Math.max(widths, drawn(last.floor) * 1.25, 1e-9);
  const place = (value: Exact) => Math.min(1, drawn(value) / end);
  const bands = tiers
    .filter((tier) => place(tier.floor) < 1)
    .map((tier) => ({ label: tier.word, from: place(tier.floor), to: tier.to ? place(tier.to) : 1 }));
  const fills: Fill[] = [];
  let from = ZERO;
  sizes.forEach((size, index) => {
    const to = plus(from, size);
    let isFirst = true;
    for (const tier of tiers) {
      const start = compare(from, tier.floor) > 0 ? from : tier.floor;
      const stop = tier.to !== null && compare(tier.to, to) < 0 ? tier.to : to;
      if (compare(start, stop) >= 0) continue;
      const label = isFirst && sizes.length > 1 ? { label: signed(decimalText(size, 3), index > 0) } : {};
      fills.push({ from: place(start), to: place(stop), step: Math.min(index, 2), ...label });
      isFirst = false;
    }
    from = to;
  });
  const label = `${tiers.map((tier) => tier.word).join(", ")}. ${units(decimalText(reached, 3).replace("…", ""))} units.`;
  return { bar: { bands, fills, label } };
}

/** A number for a place on the screen, where a float does no harm. */
function drawn(value: Exact): number {
  return Number(value.over) / Number(value.under);
}

function shareOf(share: Exact, days: number | undefined): Pick<ProofLine, "share" | "days"> {
  if (isSame(share, exact(1))) return days && days <= 62 ? { days: { over: days, under: days } } : {};
  const own = { over: Number(share.over), under: Number(share.under) };
  if (!days || days > 62 || days % own.under !== 0) return { share: own };
  const scale = days / own.under;
  const shown = { over: own.over * scale, under: days };
  return { share: shown, days: shown };
}

/** The proof of an invoice's total; `names` are those of its fees by id. */
export function proofOfInvoice(
  steps: readonly Step[],
  currency: string,
  names: ReadonlyMap<string, string>,
): Proof {
  return { steps: steps.map((step) => invoiceStep(step, currency, names)) };
}

function invoiceStep(step: Step, currency: string, names: ReadonlyMap<string, string>): ProofStep {
  const cents = (value: unknown) => centsText(value, currency);
  const less = (value: unknown) => (text(value) === "0" ? cents(value) : `−${cents(value)}`);
  const named = (id: unknown) => names.get(text(id)) ?? "Fee";
  switch (step.step) {
    case "fees":
      return {
        title: "Fees",
        about: `${list(step.fees).length}, each with a derivation of its own`,
        lines: list(step.fees).map((fee) => ({
          what: named(fee.lago_fee_id),
          value: cents(fee.amount_cents),
        })),
        result: cents(step.amount_cents),
      };
    case "progressive_billing_credits":
    case "coupons":
      return {
        title: step.step === "coupons" ? "Coupons" : "Billed progressively",
        about: "before tax, shared among the fees",
        lines: list(step.credits).map((credit) => ({
          what: `${text(credit.name)}${ruleOf(credit, cents)}`,
          value: less(credit.amount_cents),
        })),
        result: less(step.amount_cents),
      };
    case "taxes":
      return {
        title: "Taxes",
        about: step.rule === "sum_of_fees" ? "sum of the fees’ own" : "rounded once, on their sum",
        lines:
          step.rule === "sum_of_fees"
            ? list(step.fees).map((fee) => ({ what: named(fee.lago_fee_id), value: cents(fee.amount_cents) }))
            : list(step.taxes).map((tax) => ({
                what: `${text(tax.name)}, ${cents(tax.base_cents)} × ${percent(text(tax.rate))}`,
                value: shortPrice(dividedBy(number(tax.precise_amount_cents), subunits(currency)), currency),
              })),
        result: cents(step.amount_cents),
      };
    case "credit_notes":
      return {
        title: "Credit notes",
        lines: list(step.credits).map((one) => ({ what: text(one.number), value: less(one.amount_cents) })),
        result: less(step.amount_cents),
      };
    case "wallets":
      return {
        title: "Prepaid credits",
        lines: list(step.credits).map((one) => ({ what: text(one.code), value: less(one.amount_cents) })),
        result: less(step.amount_cents),
      };
    case "totals":
      return { title: "Total", about: "to be paid", result: cents(step.total_amount_cents), look: "fee" };
    default:
      return { title: text(step.step).replaceAll("_", " ") };
  }
}

function ruleOf(credit: Step, cents: (value: unknown) => string): string {
  if (credit.percentage_rate !== undefined) {
    return `, ${percent(text(credit.percentage_rate))} of ${cents(credit.base_cents)}`;
  }
  if (credit.at_most_cents !== undefined) {
    return `, at most ${cents(credit.at_most_cents)} of ${cents(credit.base_cents)}`;
  }
  return "";
}

function roundingOf(how: unknown, precision: unknown): string {
  const way = how === "ceil" ? "rounded up" : how === "floor" ? "rounded down" : "rounded";
  const places = Number(precision ?? 0);
  if (places < 0) return `${way} to ${(10 ** -places).toLocaleString()}s`;
  return places === 0 ? `${way} to whole units` : `${way} to ${countWords(places, "decimal")}`;
}

/** Minor units of the wire, whole or with decimals, as an amount. */
function centsText(value: unknown, currency: string): string {
  const whole = text(value);
  if (/^-?\d+$/.test(whole)) return money(whole, currency);
  return shortPrice(dividedBy(number(value), subunits(currency)), currency);
}

function shortPrice(amount: Exact, currency: string): string {
  const digits = decimalText(amount, 6);
  return price(digits.replace("…", ""), currency) + (digits.endsWith("…") ? "…" : "");
}

function priceText(amount: Exact, reading: Reading): string {
  return reading.price(decimalText(amount, 15).replace("…", ""));
}

function shortUnits(value: unknown): string {
  return decimalText(number(value), 9).replace("…", "");
}

function signed(amount: string, isChange: boolean): string {
  const shown = units(amount);
  return isChange && !shown.startsWith("−") ? `+${shown}` : shown;
}

function text(value: unknown): string {
  return String(value);
}
