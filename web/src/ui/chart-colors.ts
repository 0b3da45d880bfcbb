/** Series of charts and their colours: what code that only reckons needs of them. */
import type { Values } from "@/lib/chart";

/** Colours by their roles in tokens.css; c7 is "other". */
export type ChartColor = "c1" | "c2" | "c3" | "c4" | "c5" | "c6" | "c7";

/** Colours of series side by side, and of series on one another, where a dark one borders a light one. */
export const SIDE_BY_SIDE: readonly ChartColor[] = ["c1", "c2", "c3", "c4", "c5", "c6", "c7"];
export const STACKED: readonly ChartColor[] = ["c1", "c4", "c2", "c6", "c5", "c3", "c7"];

export interface Series {
  name: string;
  color: ChartColor;
  /** One for each column; null where there is none (yet). Only for the drawing: amounts are written by `write`. */
  values: Values;
  /** Areas and bars stand on one another, lines do not. */
  shape?: "area" | "bar" | "line";
  isDashed?: boolean;
}
