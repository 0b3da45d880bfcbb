import { expect, it } from "vitest";
import { dayBars } from "./days";

it("has a bar for each day of the period, as high as its share of the highest", () => {
  const bars = dayBars("2026-02-27", "2026-03-02", [
    { date: "2026-02-27", amount_cents: 50 },
    { date: "2026-02-28", amount_cents: 200 },
    { date: "2026-03-01", amount_cents: 0 },
  ]);
  expect(bars.map((bar) => [bar.date, bar.share, bar.isAhead])).toEqual([
    ["2026-02-27", 0.25, false],
    ["2026-02-28", 1, false],
    ["2026-03-01", 0, false],
    ["2026-03-02", 0, true],
  ]);
});

it("is flat where nothing was used", () => {
  expect(dayBars("2026-02-01", "2026-02-02", []).map((bar) => bar.share)).toEqual([0, 0]);
});
