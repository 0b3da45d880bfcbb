/** What a price does: its curve, and a calculator with the lines that make up its amount. */
import { useState } from "react";
import { money, percent, price as priceText, units } from "@/lib/money";
import { Segments } from "@/ui/fields";
import { Curve, type View } from "./curve";
import { UnitsInput } from "./parts";
import { edgesOf, hasCurve, tidy } from "./price";
import { type Answer, endOf, type Looked, type PricePoint } from "./prices";

interface EffectProps {
  looked: Looked;
  answer: Answer | null;
  typed: string;
  onType: (typed: string) => void;
}

export function Effect({ looked, answer, typed, onType }: EffectProps) {
  const [view, setView] = useState<View>("total");
  if (!hasCurve(looked.model)) {
    return (
      <section className="stack">
        <h2>Price of {looked.name}</h2>
        <p className="dim">Its amounts come with the events, so there is no curve to show.</p>
      </section>
    );
  }
  const at = answer?.at;
  return (
    <div className={`price-effect${answer?.isStale ? " stale" : ""}`}>
      <section>
        <div className="row between">
          <h2 className="trunc">Price of {looked.name}</h2>
          <Segments
            label="Curve"
            value={view}
            options={[
              { value: "total", label: "Total" },
              { value: "unit", label: "Per unit" },
            ]}
            onChange={setView}
          />
        </div>
        <Curve
          name={looked.name}
          points={answer?.curve ?? []}
          at={at}
          end={answer?.end ?? 1}
          edges={edgesOf(looked.model, looked.price)}
          currency={looked.currency}
          view={view}
        />
      </section>
      <section className="calc">
        <div className="in">
          <h2>Calculator</h2>
          <UnitsInput aria-label="Units" value={typed} onChange={onType} className="right" />
          <Slider value={typed} end={endOf(looked)} onChange={onType} />
        </div>
        {answer?.isRefused ? (
          <p className="calc-note">This is no price yet.</p>
        ) : (
          at && <Lines point={at} currency={looked.currency} />
        )}
      </section>
    </div>
  );
}

function Slider({ value, end, onChange }: { value: string; end: number; onChange: (value: string) => void }) {
  const at = Math.min(Number(tidy(value)) || 0, end);
  return (
    <input
      type="range"
      className="range"
      aria-label="Units, on the curve"
      min={0}
      max={end}
      step={end > 200 ? Math.max(1, Math.round(end / 200)) : 1}
      value={at}
      style={{ "--p": `${(at / end) * 100}%` } as React.CSSProperties}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function Lines({ point, currency }: { point: PricePoint; currency: string }) {
  const lines = linesOf(point, currency);
  return (
    <>
      <table aria-label="How the amount comes to be">
        <tbody>
          {lines.map(([what, amount], index) => (
            <tr key={index}>
              <td>{what}</td>
              <td>{amount}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <td>
              Total{" "}
              {Number(point.units) > 0 && (
                <span className="dim per">{priceText(shortPrice(point.unit_amount), currency)} per unit</span>
              )}
            </td>
            <td className="big">{money(point.total_amount_cents, currency)}</td>
          </tr>
        </tfoot>
      </table>
      {point.saved && point.difference_amount_cents !== null && point.difference_amount_cents !== 0 && (
        <div className="cmp">
          <span>Saved price gives {money(point.saved.total_amount_cents, currency)}</span>
          <span className="num med">
            {point.difference_amount_cents > 0 ? "+" : ""}
            {money(point.difference_amount_cents, currency)}
            {share(point.difference_amount_cents, point.saved.total_amount_cents)}
          </span>
        </div>
      )}
    </>
  );
}

/** The lines that an amount is made of, in the server's figures. */
function linesOf(point: PricePoint, currency: string): [string, string][] {
  const show = (amount: string) => priceText(amount, currency);
  const found: [string, string][] = point.lines.map((line) => {
    const each = line.rate === null ? show(line.unit_amount ?? "0") : percent(line.rate);
    const flat = Number(line.flat_amount) > 0 ? ` + ${show(line.flat_amount)}` : "";
    return [`${units(line.units)} × ${each}${flat}`, show(line.amount)];
  });
  const { package: sold, percentage } = point;
  if (sold) {
    if (Number(sold.free_units) > 0) found.push([`${units(sold.free_units)} free`, show("0")]);
    found.push([
      `${units(sold.packages)} × ${units(sold.package_size)} for ${show(sold.package_amount)}`,
      show(point.amount),
    ]);
  }
  if (percentage) {
    if (Number(percentage.free_units) > 0) found.push([`${units(percentage.free_units)} free`, show("0")]);
    found.push([
      `${units(percentage.paid_units)} × ${percent(percentage.rate)}`,
      show(percentage.per_unit_total_amount),
    ]);
    if (Number(percentage.fixed_fee_total_amount) > 0)
      found.push([
        `${units(percentage.paid_events)} event × ${show(percentage.fixed_fee_unit_amount)}`,
        show(percentage.fixed_fee_total_amount),
      ]);
    if (Number(percentage.min_max_adjustment_total_amount) !== 0)
      found.push(["To the bounds of an event", show(percentage.min_max_adjustment_total_amount)]);
  }
  if (found.length === 0)
    found.push([`${units(point.units)} × ${show(point.unit_amount)}`, show(point.amount)]);
  if (point.true_up_amount_cents > 0)
    found.push(["Up to the spending minimum", money(point.true_up_amount_cents, currency)]);
  return found;
}

function share(difference: number, before: number): string {
  if (before === 0) return "";
  const tenths = Math.round((difference / before) * 1000) / 10;
  return ` (${tenths > 0 ? "+" : tenths < 0 ? "−" : ""}${Math.abs(tenths)}%)`;
}

/** A price per unit to six significant digits; it stands beside the exact total. */
function shortPrice(amount: string): string {
  const short = Number(amount).toPrecision(6);
  return short.includes("e") ? amount : short;
}
