/** The curve of a price: what it costs against units, the saved price dashed, the edges of its tiers. */
import { ticks } from "d3-array";
import { line } from "d3-shape";
import { axisFor, yOf } from "@/lib/chart";
import { money, price as priceText, toCents, toDecimal, units } from "@/lib/money";
import type { PricePoint } from "./prices";

export type View = "total" | "unit";

interface CurveProps {
  name: string;
  points: PricePoint[];
  at: PricePoint | undefined;
  end: number;
  edges: string[];
  currency: string;
  view: View;
}

type Priced = Pick<PricePoint, "amount" | "true_up_amount_cents" | "total_amount_cents">;

/** How high a price stands; geometry alone, amounts are shown from their texts. */
function heightOf(point: Priced, count: number, view: View, currency: string): number {
  const hasMinimum = point.true_up_amount_cents > 0;
  const full = Number(hasMinimum ? toDecimal(point.total_amount_cents, currency) : point.amount);
  if (view === "total") return full;
  return count > 0 ? full / count : 0;
}

export function Curve({ name, points, at, end, edges, currency, view }: CurveProps) {
  const shown = view === "unit" ? points.filter((point) => Number(point.units) > 0) : points;
  const draft = shown.map((point): [number, number] => [
    Number(point.units),
    heightOf(point, Number(point.units), view, currency),
  ]);
  const saved = shown.flatMap((point): [number, number][] =>
    point.saved ? [[Number(point.units), heightOf(point.saved, Number(point.units), view, currency)]] : [],
  );
  const isChanged = points.some((point) => point.difference_amount_cents);
  const most = Math.max(0, ...draft.map(([, y]) => y), ...saved.map(([, y]) => y));
  const axis = axisFor([most]);
  const x = (count: number) => (count / end) * 100;
  const y = (amount: number) => yOf(amount, axis);
  const path = line<[number, number]>(
    (point) => x(point[0]),
    (point) => y(point[1]),
  );
  const atX = at ? x(Math.min(Number(at.units), end)) : 0;
  const atY = at ? y(heightOf(at, Number(at.units), view, currency)) : 0;
  return (
    <div className="chart price-chart">
      <div
        className="plot"
        role="img"
        aria-label={`${name}: ${view === "total" ? "total price" : "price per unit"} against units, ${at ? sentence(at, currency) : "not computed yet"}`}
      >
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
          {axis.ticks.map((tick) => (
            <line key={tick} className={tick ? "gl" : "base"} x1="0" x2="100" y1={y(tick)} y2={y(tick)} />
          ))}
          {draft.length > 1 && (
            <>
              <path d={`${path(draft)}L100 100L0 100Z`} fill="var(--c1)" opacity=".09" />
              {isChanged && (
                <path
                  className="ln dash"
                  d={path(saved) ?? ""}
                  stroke="var(--ink-3)"
                  style={{ strokeWidth: 1.25 }}
                />
              )}
              <path className="ln" d={path(draft) ?? ""} stroke="var(--c1)" style={{ strokeWidth: 2 }} />
            </>
          )}
        </svg>
        {axis.ticks.map((tick) => (
          <span key={tick} className="y" style={{ top: `${y(tick)}%` }}>
            {tickText(tick, currency)}
          </span>
        ))}
        {ticks(0, end, 4).map((tick) => (
          <span key={tick} className="x" style={{ left: `${x(tick)}%` }}>
            {shortUnits(tick)}
          </span>
        ))}
        {edges
          .filter((edge) => Number(edge) <= end)
          .map((edge) => (
            <i key={edge} className="tier-edge" style={{ left: `${x(Number(edge))}%` }} />
          ))}
        {at && draft.length > 1 && Number(at.units) <= end && (
          <>
            <i className="cross" style={{ left: `${atX}%`, top: `${atY}%` }} />
            <i className="pt" style={{ left: `${atX}%`, top: `${atY}%` }} />
            <span
              className={`ptl${atX < 22 ? " at-start" : ""}${atY < 14 ? " below" : ""}`}
              style={{ left: `${atX}%`, top: `${atY}%` }}
            >
              {view === "total"
                ? money(at.total_amount_cents, currency)
                : priceText(at.unit_amount, currency)}
            </span>
          </>
        )}
      </div>
      <div className="legend">
        <span>
          <i className="sw line" style={{ background: "var(--c1)" }} />
          {isChanged ? "This draft" : "Price"}
        </span>
        {isChanged && (
          <span>
            <i className="sw dash" style={{ color: "var(--ink-3)" }} />
            Saved price
          </span>
        )}
      </div>
    </div>
  );
}

function sentence(at: PricePoint, currency: string): string {
  return `${units(at.units)} units cost ${money(at.total_amount_cents, currency)}`;
}

function tickText(tick: number, currency: string): string {
  if (tick === 0) return "0";
  const text = String(Number(tick.toPrecision(6)));
  const cents = toCents(text, currency);
  if (cents === null) return priceText(text.includes("e") ? tick.toFixed(8) : text, currency);
  return money(cents, currency).replace(/[.,]00(?=\D*$)/, "");
}

/** Units of an axis: 0, 500, 1 k, 2.5 M. */
function shortUnits(value: number): string {
  for (const [size, sign] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e4, "k"],
  ] as const) {
    if (value >= size) return `${units(String(value / (sign === "k" ? 1e3 : size)))} ${sign}`;
  }
  return units(String(value));
}
