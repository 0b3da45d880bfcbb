/** The app's dashboards by period: their answers as rows of a chart and of the table below it. */
import type { Schema } from "@/api/client";
import { bareMoney, units } from "@/lib/money";
import type { Series } from "@/ui/chart-colors";

/** A row of the table below a chart, as it is written there, amounts without the currency's sign; "" is zero. */
export interface TableRow {
  name: string;
  cells: readonly string[];
  isTotal?: boolean;
}

export interface Dashboard {
  series: Series[];
  table: TableRow[];
}

type OfPeriod = { start_of_period_dt: string; currency: string };

/** The rows of one currency by the first days of periods; undefined where a period has none. */
function inPeriods<Row extends OfPeriod>(rows: readonly Row[], periods: readonly string[], currency: string) {
  const found = new Map(
    rows.filter((row) => row.currency === currency).map((row) => [row.start_of_period_dt, row]),
  );
  return periods.map((period) => found.get(period));
}

type Streams = Schema<"RevenueStreamsOutput">;

const FEES = [
  ["subscription_fee_amount_cents", "Subscriptions", "c1"],
  ["usage_based_fee_amount_cents", "Usage", "c4"],
  ["fixed_charge_fee_amount_cents", "Fixed charges", "c6"],
  ["commitment_fee_amount_cents", "Commitments", "c2"],
  ["one_off_fee_amount_cents", "One-off", "c5"],
] as const;

const TAKEN_OFF = [
  ["coupons_amount_cents", "Coupons"],
  ["progressive_billing_credit_amount_cents", "Billed before"],
  ["credit_notes_credits_amount_cents", "Credit notes"],
  ["free_credits_amount_cents", "Free credits"],
  ["prepaid_credits_amount_cents", "Prepaid credits"],
] as const;

/** Revenue by kinds of fees, less what was taken off: kinds that there never were are left out. */
export function revenueRows(
  answer: readonly Streams[],
  periods: readonly string[],
  currency: string,
): Dashboard {
  const rows = inPeriods(answer, periods, currency);
  const values = (key: keyof Streams, sign = 1) => rows.map((row) => sign * Number(row?.[key] ?? 0));
  const written = (all: readonly number[]) => all.map((cents) => (cents ? bareMoney(cents, currency) : ""));
  const has = (all: readonly number[]) => all.some((cents) => cents !== 0);
  const series = FEES.map(
    ([key, name, color]): Series => ({ name, color, values: values(key), shape: "line" }),
  ).filter((one) => has(one.values as number[]));
  const off = TAKEN_OFF.map(([key, name]) => ({ name, values: values(key, -1) })).filter((one) =>
    has(one.values),
  );
  return {
    series,
    table: [
      ...series.map(({ name, values: all }) => ({ name, cells: written(all as number[]) })),
      { name: "Gross", cells: written(values("gross_amount_cents")), isTotal: true },
      ...off.map(({ name, values: all }) => ({ name, cells: written(all) })),
      { name: "Net", cells: written(values("net_amount_cents")), isTotal: true },
    ],
  };
}

type Movement = Schema<"MovementOutput">;

const MOVES = [
  ["new_amount_cents", "New", "c1"],
  ["expansion_amount_cents", "Expansion", "c4"],
  ["contraction_amount_cents", "Contraction", "c2"],
  ["churn_amount_cents", "Churn", "c5"],
] as const;

/** How recurring revenue moved: what came stands up, what went hangs down; from what each period began with to what it ended with. */
export function movementRows(
  answer: readonly Movement[],
  periods: readonly string[],
  currency: string,
): Dashboard {
  const rows = inPeriods(answer, periods, currency);
  const values = (key: keyof Movement) => rows.map((row) => Number(row?.[key] ?? 0));
  const written = (key: keyof Movement) =>
    values(key).map((cents) => (cents ? bareMoney(cents, currency) : ""));
  return {
    series: MOVES.map(([key, name, color]) => ({ name, color, values: values(key), shape: "bar" })),
    table: [
      { name: "Start", cells: written("starting_amount_cents") },
      ...MOVES.map(([key, name]) => ({ name, cells: written(key) })),
      { name: "Change", cells: written("change_amount_cents") },
      { name: "End", cells: written("ending_amount_cents"), isTotal: true },
    ],
  };
}

type Credits = Schema<"CreditsOutput">;

const WAYS = [
  ["purchased", "Purchased", "c1", 1],
  ["offered", "Offered", "c4", 1],
  ["consumed", "Consumed", "c2", -1],
  ["voided", "Voided", "c5", -1],
] as const;

/** Prepaid credits: what came in stands up, what went out hangs down; below in money, then in credits. */
export function creditRows(
  answer: readonly Credits[],
  periods: readonly string[],
  currency: string,
): Dashboard {
  const rows = inPeriods(answer, periods, currency);
  return {
    series: WAYS.map(([way, name, color, sign]) => ({
      name,
      color,
      values: rows.map((row) => sign * (row?.[`${way}_amount_cents`] ?? 0)),
      shape: "bar",
    })),
    table: [
      ...WAYS.map(([way, name]) => ({
        name,
        cells: rows.map((row) =>
          row?.[`${way}_amount_cents`] ? bareMoney(row[`${way}_amount_cents`], currency) : "",
        ),
      })),
      ...WAYS.map(([way, name]) => ({
        name: `${name}, credits`,
        cells: rows.map((row) => (Number(row?.[`${way}_credits`] ?? 0) ? units(row![`${way}_credits`]) : "")),
      })),
    ],
  };
}

/** The share of a part in percent with one decimal; null of nothing. */
export function shareOf(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 1000) / 10;
}
