/**
 * An amount recomputed from its explanation alone, in the reader's browser (beyond.md §1): each step has to follow from the
 * one before it. What comes out is compared with what was billed, and the panel says so.
 */
import {
  ceiled,
  compare,
  dividedBy,
  type Exact,
  exact,
  floored,
  minus,
  plus,
  rounded,
  sum,
  times,
  ZERO,
} from "@/lib/exact";
import { decimals } from "@/lib/money";

/** A step as the wire has it; its fields depend on `step`. */
export type Step = Record<string, unknown>;

/** A step that does not follow from the one before it, or that nobody knows. */
export class Unexplained extends Error {
  override readonly name = "Unexplained";
}

const HUNDRED = exact(100);

/** What texts of at most ten decimals may lose of an amount. */
const TEXT_ERROR = exact("0.00000001");

/** How many minor units a currency has in a unit. */
export function subunits(currency: string): Exact {
  return currency === "MRO" ? exact(5) : exact(10n ** BigInt(decimals(currency)));
}

/** A fee's amount in minor units. Throws `Unexplained`. */
export function recomputeFee(steps: readonly Step[], currency: string): bigint {
  return readable(() => new State(steps, subunits(currency)).result());
}

/** An invoice's total in minor units. Throws `Unexplained`. */
export function recomputeInvoice(steps: readonly Step[]): bigint {
  return readable(() => totalOf(new Map(steps.map((step) => [String(step.step), step]))));
}

function readable(reckon: () => bigint): bigint {
  try {
    return reckon();
  } catch (error) {
    if (error instanceof Unexplained) throw error;
    throw new Unexplained(`a step cannot be read: ${error}`);
  }
}

class State {
  private units = ZERO;
  private areMore = true;
  private cents: Exact | null = null;
  /** Minor units in a unit of what prices are in: of the currency, or of a pricing unit before it is converted. */
  private readonly scale: Exact;

  constructor(
    private readonly steps: readonly Step[],
    private readonly subunits: Exact,
  ) {
    this.scale = steps.some((step) => step.step === "conversion") ? HUNDRED : subunits;
  }

  result(): bigint {
    for (const step of this.steps) this.take(step);
    if (this.cents === null || this.cents.under !== 1n) throw new Unexplained("no amount comes out");
    return this.cents.over;
  }

  private get amount(): Exact {
    if (this.cents === null) throw new Unexplained("there is no amount yet");
    return this.cents;
  }

  private take(step: Step): void {
    switch (step.step) {
      case "period":
      case "high_water_mark":
        break;
      case "aggregation":
      case "rounding_of_units":
        this.units = number(step.value);
        break;
      case "units":
        this.units = number(step.value);
        this.areMore = compare(number(step.added ?? step.value), ZERO) > 0;
        break;
      case "base_amount":
      case "billed_in_advance":
        this.cents = number(step.amount_cents);
        break;
      case "proration":
        this.prorate(step);
        break;
      case "pricing":
        this.cents = times(this.priced(step), this.scale);
        break;
      case "adjustment":
        if (step.unit_amount !== undefined) {
          hold(times(number(step.units), number(step.unit_amount)), step.amount, "the adjustment");
        }
        this.cents = times(number(step.amount), this.scale);
        break;
      case "correction":
        this.cents = corrected(step, this.subunits);
        hold(this.cents, step.amount_cents, "what was corrected");
        break;
      case "credit":
        this.cents = atLeastZero(minus(this.amount, number(step.amount_cents)));
        break;
      case "minimum":
        this.cents = minus(this.amount, number(step.used_cents));
        hold(this.cents, step.amount_cents, "what the minimum lacks");
        break;
      case "conversion": {
        const whole = exact(rounded(this.amount));
        hold(whole, step.pricing_unit_amount_cents, "the amount in pricing units");
        this.cents = dividedBy(times(times(whole, number(step.conversion_rate)), this.subunits), HUNDRED);
        break;
      }
      case "rounding":
        this.cents = exact(rounded(this.amount));
        if (compare(this.cents, number(step.amount_cents)) !== 0)
          throw new Unexplained("the rounding differs");
        break;
      default:
        throw new Unexplained(`there is no step ${String(step.step)}`);
    }
  }

  private prorate(step: Step): void {
    if (step.fraction !== undefined) {
      this.cents = times(this.amount, number(step.fraction));
      if (step.amount_cents !== undefined) hold(this.cents, step.amount_cents, "the prorated amount");
      return;
    }
    this.units = number(step.units);
    const changes = list(step.changes);
    if (changes.length === 0) return;
    const shares = sum(changes.map((one) => times(number(one.units), number(one.fraction))));
    const places = exact(100_000);
    const shown = dividedBy(exact(ceiled(times(shares, places))), places);
    hold(roundedUnits(shown, step.function, step.precision), step.units, "the prorated units");
  }

  private priced(step: Step): Exact {
    const found = amountOf(step, this.units, this.scale);
    const model = `the model ${String(step.charge_model)}`;
    if (step.amount_of_billed === undefined) {
      if (found) hold(found, step.amount, model);
      return number(step.amount);
    }
    if (found) hold(found, step.amount_of_units, model);
    const added = atLeastZero(minus(number(step.amount_of_units), number(step.amount_of_billed)));
    hold(this.areMore ? added : ZERO, step.amount, "what was added");
    return number(step.amount);
  }
}

/** What a price makes of units; null where it is a difference of two prices, which follows from more than the step says. */
function amountOf(step: Step, units: Exact, scale: Exact): Exact | null {
  const lines = list(step.lines);
  const properties = record(step.properties);
  const details = record(step.details);
  if (step.units_of_event !== undefined || compare(units, ZERO) < 0) return null;
  if (lines.some((line) => line.share !== undefined)) return null;
  switch (step.charge_model) {
    case "graduated":
    case "graduated_percentage":
    case "volume":
      if (lines.length === 0) return null;
      if (compare(sum(lines.map((line) => number(line.units))), units) !== 0) {
        throw new Unexplained("the tiers do not hold the units");
      }
      return sum(lines.map(tier));
    case "standard":
      return lines.length > 0 ? sum(lines.map(tier)) : times(units, number(properties.amount));
    case "package": {
      const paid = atLeastZero(minus(units, number(properties.free_units)));
      const packages = ceiled(dividedBy(paid, number(properties.package_size)));
      return times(exact(packages), number(properties.amount));
    }
    case "percentage": {
      const ofUnits = dividedBy(times(number(details.paid_units), number(details.rate)), HUNDRED);
      const ofEvents = times(number(details.paid_events), number(details.fixed_fee_unit_amount));
      return plus(plus(ofUnits, ofEvents), number(details.min_max_adjustment_total_amount));
    }
    case "dynamic":
      return compare(units, ZERO) === 0 ? ZERO : dividedBy(number(details.precise_total_amount_cents), scale);
    default:
      return null;
  }
}

function tier(line: Step): Exact {
  const price =
    line.unit_amount !== undefined ? number(line.unit_amount) : dividedBy(number(line.rate), HUNDRED);
  const amount = plus(times(number(line.units), price), number(line.flat_amount));
  hold(amount, line.amount, "a tier");
  return amount;
}

/** What lines come to by their own steps, beyond what they were billed and what was adjusted before. */
function corrected(step: Step, of: Exact): Exact {
  let found = minus(ZERO, number(step.adjusted_cents));
  for (const line of list(step.lines)) {
    const steps = list(line.steps);
    const cents = steps.length > 0 ? exact(new State(steps, of).result()) : ZERO;
    hold(cents, line.amount_cents, "a line");
    found = plus(found, minus(cents, number(line.billed_cents)));
  }
  return found;
}

function roundedUnits(units: Exact, how: unknown, precision: unknown): Exact {
  if (how === undefined || how === null) return units;
  const places = Number(precision ?? 0);
  const scale = places >= 0 ? exact(10n ** BigInt(places)) : exact(`1/${10n ** BigInt(-places)}`);
  const scaled = times(units, scale);
  const whole = how === "ceil" ? ceiled(scaled) : how === "floor" ? floored(scaled) : rounded(scaled);
  return dividedBy(exact(whole), scale);
}

const DEDUCTIONS = ["progressive_billing_credits", "coupons"] as const;

function totalOf(steps: ReadonlyMap<string, Step>): bigint {
  const totals = record(steps.get("totals"));
  const added = (name: string, of: string): Exact => {
    const step = steps.get(name);
    if (!step) return ZERO;
    const found = sum(list(step[of]).map((part) => number(part.amount_cents)));
    hold(found, step.amount_cents, name);
    return found;
  };
  const fees = added("fees", "fees");
  const [progressive, coupons] = DEDUCTIONS.map((name) => added(name, "credits")) as [Exact, Exact];
  const net = minus(minus(fees, progressive), coupons);
  const taxes = taxesOf(steps);
  const notes = added("credit_notes", "credits");
  const wallets = added("wallets", "credits");
  const total = minus(minus(plus(net, taxes), notes), wallets);
  hold(fees, totals.fees_amount_cents, "the fees");
  hold(net, totals.sub_total_excluding_taxes_amount_cents, "the subtotal");
  hold(taxes, totals.taxes_amount_cents, "the taxes");
  hold(total, totals.total_amount_cents, "the total");
  return rounded(total);
}

function taxesOf(steps: ReadonlyMap<string, Step>): Exact {
  const step = steps.get("taxes");
  if (!step) return ZERO;
  if (step.rule === "sum_of_fees") {
    const found = sum(list(step.fees).map((part) => number(part.amount_cents)));
    hold(found, step.amount_cents, "the taxes");
    return found;
  }
  const left = basesOf(steps);
  const found = list(step.taxes).map((tax) => {
    const base = sum((tax.lago_fee_ids as string[]).map((id) => left.get(id) ?? ZERO));
    hold(base, tax.base_cents, "the base of a tax");
    return dividedBy(times(base, number(tax.rate)), HUNDRED);
  });
  const together = exact(rounded(sum(found)));
  hold(together, step.amount_cents, "the taxes");
  return together;
}

/** What deductions leave of each fee. */
function basesOf(steps: ReadonlyMap<string, Step>): ReadonlyMap<string, Exact> {
  const left = new Map<string, Exact>();
  for (const fee of list(steps.get("fees")?.fees))
    left.set(String(fee.lago_fee_id), number(fee.amount_cents));
  for (const name of DEDUCTIONS) {
    for (const credit of list(steps.get(name)?.credits)) {
      for (const share of list(credit.shares)) {
        const id = String(share.lago_fee_id);
        left.set(id, minus(left.get(id) ?? ZERO, number(share.amount_cents)));
      }
    }
  }
  return left;
}

export function number(value: unknown): Exact {
  return exact(value as string | number);
}

export function list(value: unknown): Step[] {
  return Array.isArray(value) ? (value as Step[]) : [];
}

export function record(value: unknown): Step {
  return value && typeof value === "object" ? (value as Step) : {};
}

function atLeastZero(value: Exact): Exact {
  return compare(value, ZERO) < 0 ? ZERO : value;
}

function hold(found: Exact, said: unknown, what: string): void {
  const difference = minus(found, number(said));
  const size = compare(found, ZERO) < 0 ? minus(ZERO, found) : found;
  const allowed = times(TEXT_ERROR, compare(size, exact(1)) > 0 ? size : exact(1));
  const apart = compare(difference, ZERO) < 0 ? minus(ZERO, difference) : difference;
  if (compare(apart, allowed) > 0) throw new Unexplained(`${what}: ${String(said)} is said`);
}
