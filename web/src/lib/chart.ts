/**
 * Where the marks of a chart stand. Everything is in a box of 100 by 100 whose origin is at the top left: shapes are
 * stretched to the plot, labels are placed in percent of it. Geometry only: what is written comes from exact amounts.
 */
import { nice, ticks } from "d3-array";
import { area, line } from "d3-shape";

export type Values = readonly (number | null)[];

/** From where to where a series reaches in a stack, by column; null where it has no value. */
export type Span = readonly [low: number, high: number];

export interface Axis {
  low: number;
  high: number;
  ticks: number[];
}

/** Put series on one another: what is positive upwards from zero, what is negative downwards. */
export function stack(series: readonly Values[]): (Span | null)[][] {
  const columns = Math.max(0, ...series.map((values) => values.length));
  const up = new Array<number>(columns).fill(0);
  const down = new Array<number>(columns).fill(0);
  return series.map((values) =>
    Array.from({ length: columns }, (_, column): Span | null => {
      const value = values[column] ?? null;
      if (value === null) return null;
      const ends = value < 0 ? down : up;
      const from = ends[column]!;
      ends[column] = from + value;
      return value < 0 ? [from + value, from] : [from, from + value];
    }),
  );
}

/** An axis of three to five round ticks around all values. It starts at zero unless it is cut, which only lines may be. */
export function axisFor(values: readonly number[], isCut = false): Axis {
  let low = Math.min(...values, ...(isCut ? [] : [0]));
  let high = Math.max(...values, ...(isCut ? [] : [0]));
  if (!Number.isFinite(low) || !Number.isFinite(high)) [low, high] = [0, 0];
  if (low === high) [low, high] = low === 0 ? [0, 1] : [Math.min(0, low), Math.max(0, high)];
  for (const count of [4, 3, 2, 1]) {
    const [first, last] = nice(low, high, count);
    const round = ticks(first, last, count);
    if (round.length <= 5) return { low: first, high: last, ticks: round };
  }
  return { low, high, ticks: [low, high] };
}

/** How far down a value stands. */
export function yOf(value: number, axis: Axis): number {
  return ((axis.high - value) / (axis.high - axis.low)) * 100;
}

/** How far right a column stands: points reach from edge to edge, bars and the columns of a table have room around. */
export function xOf(column: number, columns: number, isBanded: boolean): number {
  if (isBanded) return ((column + 0.5) / columns) * 100;
  return columns < 2 ? 50 : (column / (columns - 1)) * 100;
}

/** The column that is nearest to a place. */
export function columnAt(x: number, columns: number, isBanded: boolean): number {
  const column = isBanded ? Math.floor((x / 100) * columns) : Math.round((x / 100) * (columns - 1));
  return Math.min(columns - 1, Math.max(0, column));
}

/** Columns whose labels are shown: the first, then evenly, no more than fit; the last when it is not too near. */
export function labelled(columns: number, most: number): number[] {
  if (columns <= most) return Array.from({ length: columns }, (_, column) => column);
  const step = [2, 3, 5, 7, 10, 14, 15, 20, 30, 60, 90].find((one) => columns / one <= most) ?? columns;
  const shown = Array.from({ length: Math.ceil(columns / step) }, (_, index) => index * step);
  const last = columns - 1;
  if (last - shown.at(-1)! >= step * 0.7) shown.push(last);
  else if (shown.length > 1) shown[shown.length - 1] = last;
  return shown;
}

/** The path of a line from a column to another, both included; nothing where there are no values. */
export function linePath(values: Values, axis: Axis, isBanded: boolean, from = 0, to = Infinity): string {
  const draw = line<number | null>()
    .defined((value, column) => value !== null && column >= from && column <= to)
    .x((_, column) => round(xOf(column, values.length, isBanded)))
    .y((value) => round(yOf(value ?? 0, axis)));
  return draw([...values]) ?? "";
}

/** The path of an area between the lows and the highs of spans. */
export function areaPath(
  spans: readonly (Span | null)[],
  axis: Axis,
  isBanded: boolean,
  from = 0,
  to = Infinity,
): string {
  const draw = area<Span | null>()
    .defined((span, column) => span !== null && column >= from && column <= to)
    .x((_, column) => round(xOf(column, spans.length, isBanded)))
    .y0((span) => round(yOf(span?.[0] ?? 0, axis)))
    .y1((span) => round(yOf(span?.[1] ?? 0, axis)));
  return draw([...spans]) ?? "";
}

/** Values one after the other, each the sum of all up to it. */
export function cumulative(values: Values): (number | null)[] {
  let sum = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum += value;
    return sum;
  });
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
