import { describe, expect, it } from "vitest";
import { areaPath, axisFor, columnAt, cumulative, labelled, linePath, stack, xOf, yOf } from "./chart";

describe("stack", () => {
  it("puts what is positive upwards and what is negative downwards, each from zero", () => {
    expect(
      stack([
        [4, 5],
        [-1, -2],
        [2, null],
        [-3, 0],
      ]),
    ).toEqual([
      [
        [0, 4],
        [0, 5],
      ],
      [
        [-1, 0],
        [-2, 0],
      ],
      [[4, 6], null],
      [
        [-4, -1],
        [5, 5],
      ],
    ]);
  });
});

describe("axisFor", () => {
  it("starts at zero and ends at a round value above all", () => {
    expect(axisFor([90, 2558])).toEqual({ low: 0, high: 3000, ticks: [0, 1000, 2000, 3000] });
  });

  it("reaches below zero where values do", () => {
    const { low, high, ticks } = axisFor([8, -4]);
    expect([low, high]).toEqual([-5, 10]);
    expect(ticks).toContain(0);
  });

  it("may be cut for lines", () => {
    expect(axisFor([122, 186], true).low).toBe(120);
  });

  it("stands where there is nothing to show", () => {
    expect(axisFor([]).low).toBe(0);
    expect(axisFor([0, 0]).high).toBe(1);
    expect(axisFor([7]).low).toBe(0);
  });

  it("has three to five ticks", () => {
    for (const high of [1, 3, 9, 12, 47, 99, 101, 249, 2558, 76_000]) {
      const { ticks } = axisFor([0, high]);
      expect(ticks.length, String(high)).toBeGreaterThanOrEqual(2);
      expect(ticks.length, String(high)).toBeLessThanOrEqual(5);
    }
  });
});

describe("places", () => {
  const axis = { low: 0, high: 200, ticks: [] };

  it("has its origin at the top left", () => {
    expect(yOf(50, axis)).toBe(75);
    expect([xOf(0, 5, false), xOf(1, 5, false), xOf(4, 5, false)]).toEqual([0, 25, 100]);
    expect([xOf(0, 4, true), xOf(3, 4, true)]).toEqual([12.5, 87.5]);
    expect(xOf(0, 1, false)).toBe(50);
  });

  it("finds the nearest column", () => {
    expect(columnAt(37, 5, false)).toBe(1); // nearer to 25 than to 50
    expect(columnAt(38, 5, false)).toBe(2);
    expect(columnAt(26, 4, true)).toBe(1);
    expect([columnAt(-9, 4, true), columnAt(120, 4, true)]).toEqual([0, 3]);
  });

  it("draws lines with gaps, and parts of them", () => {
    expect(linePath([0, 100, null, 200], axis, false)).toBe("M0,100L33.33,50M100,0Z");
    expect(linePath([0, 100, 200], axis, false, 1)).toBe("M50,50L100,0");
    expect(linePath([], axis, false)).toBe("");
  });

  it("draws areas between their lows and highs", () => {
    expect(
      areaPath(
        [
          [0, 100],
          [100, 200],
        ],
        axis,
        false,
      ),
    ).toBe("M0,50L100,0L100,50L0,100Z");
  });
});

describe("labelled", () => {
  it("shows all that fit, else even steps and the last", () => {
    expect(labelled(4, 6)).toEqual([0, 1, 2, 3]);
    expect(labelled(30, 8)).toEqual([0, 5, 10, 15, 20, 25, 29]); // 4 days after the 26th are near enough to stand
    expect(labelled(31, 8)).toEqual([0, 5, 10, 15, 20, 25, 30]);
    expect(labelled(24, 6)).toEqual([0, 5, 10, 15, 23]);
  });
});

describe("cumulative", () => {
  it("adds up and leaves what is not known", () => {
    expect(cumulative([1, 0, 4, null])).toEqual([1, 1, 5, null]);
  });
});
