import { describe, expect, it } from "vitest";
import { ladderOf, topOf } from "./ladder";

const at = (amount_cents: number, recurring = false, threshold_display_name: string | null = null) => ({
  amount_cents,
  recurring,
  threshold_display_name,
});

describe("the ladder of thresholds", () => {
  it("has those that were reached, and those to come", () => {
    const rungs = ladderOf([at(5000, false, "Half"), at(1000)], 1000);
    expect(rungs).toEqual([
      { cents: 1000, name: null, isReached: true },
      { cents: 5000, name: "Half", isReached: false },
    ]);
    expect(topOf(rungs, 1000)).toBe(5000);
    expect(topOf(rungs, 7000)).toBe(7000);
  });

  it("goes on by the one that recurs, from the last of the others", () => {
    const thresholds = [at(1000), at(400, true)];
    const cents = (used: number) => ladderOf(thresholds, used).map((one) => one.cents);
    expect(cents(900)).toEqual([1000, 1400]);
    expect(cents(1399)).toEqual([1000, 1400]);
    expect(cents(1400)).toEqual([1000, 1400, 1800]);
    expect(cents(5100)).toEqual([1000, 5000, 5400]);
  });

  it("is nothing without thresholds", () => {
    expect(ladderOf([], 300)).toEqual([]);
    expect(topOf([], 300)).toBe(300);
  });
});
