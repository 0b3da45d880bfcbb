import { describe, expect, it } from "vitest";
import type { Schema } from "@/api/client";
import { namesOf, periodsOf, usageSeries, usedMetrics } from "./usage-periods";

const THURSDAY = Date.parse("2026-06-04T15:00:00Z");

describe("periodsOf", () => {
  it("ends with this day or the one before, the week from Monday, or the month of now", () => {
    const over = periodsOf("daily", THURSDAY, [], { areOver: true });
    expect([over.length, over[0], over.at(-1)]).toEqual([30, "2026-05-05", "2026-06-03"]);
    const days = periodsOf("daily", THURSDAY, []);
    expect([days.length, days[0], days.at(-1)]).toEqual([30, "2026-05-06", "2026-06-04"]);
    const weeks = periodsOf("weekly", THURSDAY, []);
    expect([weeks.length, weeks[0], weeks.at(-1)]).toEqual([13, "2026-03-09", "2026-06-01"]);
    expect(periodsOf("weekly", Date.parse("2026-06-07T23:59:59Z"), []).at(-1)).toBe("2026-06-01");
    expect(periodsOf("weekly", Date.parse("2026-06-08T00:00:00Z"), []).at(-1)).toBe("2026-06-08");
    expect(periodsOf("monthly", THURSDAY, ["2026-05", "2026-06"])).toEqual(["2026-05-01", "2026-06-01"]);
  });
});

const used = (code: string, day: string, cents: number, units: string, more: object = {}) =>
  ({
    billable_metric_code: code,
    start_of_period_dt: day,
    amount_cents: cents,
    amount_currency: "EUR",
    units,
    is_billable_metric_deleted: false,
    ...more,
  }) as Schema<"UsageOutput">;

describe("usedMetrics", () => {
  const PERIODS = ["2026-05-01", "2026-06-01"];

  it("adds up amounts and units of each metric, the dearest first", () => {
    const found = usedMetrics(
      [
        used("calls", "2026-05-01", 100, "0.1"),
        used("calls", "2026-06-01", 250, "0.2"),
        used("storage", "2026-06-01", 900, "3"),
        used("storage", "2026-06-01", 5, "1", { amount_currency: "USD" }),
        used("storage", "2026-04-01", 7, "1"),
      ],
      PERIODS,
      "EUR",
    );
    expect(found.map(({ code, values, cents, units }) => [code, values, cents, units])).toEqual([
      ["storage", [0, 900], 900, "3"],
      ["calls", [100, 250], 350, "0.3"],
    ]);
    expect(found.map((one) => one.unitValues)).toEqual([
      ["0", "3"],
      ["0.1", "0.2"],
    ]);
  });

  it("keeps a deleted metric apart from the one that has its code now", () => {
    const found = usedMetrics(
      [
        used("calls", PERIODS[0]!, 1, "1", { is_billable_metric_deleted: true }),
        used("calls", PERIODS[0]!, 2, "2"),
      ],
      PERIODS,
      "EUR",
    );
    expect(found.map(({ isDeleted, cents }) => [isDeleted, cents])).toEqual([
      [false, 2],
      [true, 1],
    ]);
  });

  it("calls metrics by their names, and a deleted one by its code", () => {
    const found = usedMetrics(
      [
        used("calls", PERIODS[0]!, 3, "1", { is_billable_metric_deleted: true }),
        used("calls", PERIODS[0]!, 2, "2"),
        used("storage", PERIODS[0]!, 1, "2"),
      ],
      PERIODS,
      "EUR",
    );
    const series = usageSeries(found, namesOf([{ code: "calls", name: "API calls" }]));
    expect(series.map(({ name }) => name)).toEqual(["calls", "API calls", "storage"]);
  });

  it("puts those beyond the sixth together", () => {
    const eight = Array.from({ length: 8 }, (_, index) => used(`m${index}`, PERIODS[1]!, 10, "1"));
    const series = usageSeries(usedMetrics(eight, PERIODS, "EUR"), new Map());
    expect(series.length).toBe(7);
    expect([series[6]!.name, series[6]!.values]).toEqual(["Other metrics", [0, 20]]);
  });
});
