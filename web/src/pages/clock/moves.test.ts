import { describe, expect, it } from "vitest";
import { daysAhead, nextMonth, nextYear, PRESETS, placeOf, yearAround } from "./moves";

const at = (text: string) => new Date(text);

describe("moves of a clock", () => {
  it("goes to five past the first of the next month, over the turn of the year", () => {
    expect(nextMonth(at("2026-12-31T23:59:00Z"))).toEqual(at("2027-01-01T00:05:00Z"));
  });

  it("keeps the day of the year, but for the 29th of February", () => {
    expect(nextYear(at("2026-11-30T10:00:00Z"))).toEqual(at("2027-11-30T10:00:00Z"));
    expect(nextYear(at("2028-02-29T10:00:00Z"))).toEqual(at("2029-02-28T10:00:00Z"));
  });

  it("goes to the end of the day on which something is due, and nowhere when nothing is", () => {
    const [next] = PRESETS;
    expect(next!.to(at("2026-11-01T08:00:00Z"), "2026-11-03")).toEqual(at("2026-11-03T23:59:00Z"));
    expect(next!.to(at("2026-11-01T08:00:00Z"), undefined)).toBeNull();
  });

  it("counts days begun", () => {
    expect(daysAhead(at("2026-11-01T00:00:00Z"), at("2026-12-01T00:05:00Z"))).toBe(31);
  });

  it("lays a year on a line", () => {
    const { from, to, months } = yearAround(at("2026-11-18T00:00:00Z"));
    expect([from, to]).toEqual([at("2026-06-01T00:00:00Z"), at("2027-06-01T00:00:00Z")]);
    expect(months).toHaveLength(12);
    expect(placeOf(from, from, to)).toBe(0);
    expect(placeOf(at("2030-01-01T00:00:00Z"), from, to)).toBe(100);
  });
});
