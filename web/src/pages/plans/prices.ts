/** What a price costs at some units, as the server rates it: the browser adds up nothing. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ask, type Schema } from "@/api/client";
import type { ChargeModel, Kept, PriceDraft } from "./draft";
import { curveEnd, curveUnits, hasCurve, isDecimal, priceFaults, tidy, writePrice } from "./price";

export type PricePoint = Schema<"PricePointOutput">;

/** A price to look at, and the saved one beside it. */
export interface Looked {
  name: string;
  isFixed: boolean;
  model: ChargeModel;
  price: PriceDraft;
  kept: Kept | null;
  aggregation: Schema<"AggregationType">;
  currency: string;
  min_amount_cents: number;
  saved_min_amount_cents: number;
}

export interface Answer {
  end: number;
  at: PricePoint | undefined;
  curve: PricePoint[];
  isStale: boolean;
  isRefused: boolean;
}

const WAIT_MS = 250;

/** The curve of a price and its amount at `typed` units, a moment after the last key. */
export function usePrices(looked: Looked | null, typed: string): Answer | null {
  const question = looked && questionOf(looked, typed);
  const asked = useLate(question ? JSON.stringify(question.body) : "");
  const answer = useQuery({
    ...ask("/app/v1/charge_prices", { body: { charge_price: JSON.parse(asked || "{}") } }),
    enabled: asked !== "",
  });
  if (!looked || !hasCurve(looked.model)) return null;
  const points = answer.data?.charge_price.points ?? [];
  return {
    end: Number(points.at(-1)?.units ?? endOf(looked)),
    at: points[0],
    curve: points.slice(1),
    isStale: question === null || JSON.stringify(question.body) !== asked || answer.isPlaceholderData,
    isRefused: answer.isError,
  };
}

export function endOf(looked: Looked): number {
  return curveEnd(looked.model, looked.price, looked.aggregation);
}

/** What is asked of the server; null while what is typed is no price yet. */
function questionOf(looked: Looked, typed: string) {
  const { model, price, kept } = looked;
  if (!hasCurve(model) || Object.keys(priceFaults(model, price)).length > 0) return null;
  const end = endOf(looked);
  const units = isDecimal(typed, true) ? tidy(typed) : "0";
  return {
    body: {
      kind: looked.isFixed ? "fixed_charge" : "charge",
      charge_model: model,
      properties: writePrice(model, price, kept),
      min_amount_cents: looked.min_amount_cents,
      aggregation_type: looked.aggregation,
      currency: looked.currency,
      units: [units, ...curveUnits(model, price, end)],
      ...(kept && {
        saved: {
          charge_model: kept.model,
          properties: kept.properties,
          min_amount_cents: looked.saved_min_amount_cents,
        },
      }),
    },
  };
}

/** A value as it was a moment ago, so that typing asks once; the first one at once. */
function useLate(value: string): string {
  const [late, setLate] = useState(value);
  useEffect(() => {
    if (value === "") return;
    const waiting = setTimeout(() => setLate(value), WAIT_MS);
    return () => clearTimeout(waiting);
  }, [value]);
  return late === "" ? value : late;
}
