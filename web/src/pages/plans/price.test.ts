import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { setReadersLocale } from "@/lib/money";
import { NO_PRICE, type Tier } from "./draft";
import {
  addTier,
  compare,
  curveUnits,
  fromOf,
  grouped,
  priceFaults,
  priceLines,
  priceWords,
  readPrice,
  removeTier,
  rounded,
  tidy,
  writePrice,
} from "./price";

beforeEach(() => setReadersLocale("en"));
afterEach(() => setReadersLocale(null));

const tier = (to: string, price = "1", flat = ""): Tier => ({ to, price, flat });

describe("numbers as they are typed", () => {
  it.each([
    ["500,000", "500,000"], // half a million or a half: refused by what reads numbers
    ["2,000,000", "2000000"],
    ["2 000 000", "2000000"],
    ["1,234.5", "1234.5"],
    ["0,0004", "0.0004"],
    ["0.0004", "0.0004"],
    ["", ""],
  ])("%s is %s", (typed, expected) => {
    expect(tidy(typed)).toBe(expected);
  });

  it("are grouped so that they are read back as the same", () => {
    expect(grouped("2000000.5")).toBe("2\u202f000\u202f000.5");
    expect(tidy(grouped("2000000.5"))).toBe("2000000.5");
    expect([grouped("12"), grouped("abc"), grouped("")]).toEqual(["12", "abc", ""]);
  });

  it("compare by their digits", () => {
    expect(compare("0.10", "0.1")).toBe(0);
    expect(compare("9007199254740993", "9007199254740992.5")).toBe(1);
    expect(compare("2", "10")).toBe(-1);
  });
});

describe("tiers", () => {
  it("begin after one another, so that they never overlap", () => {
    expect(fromOf([tier("10"), tier("")], 1)).toBe("11");
    expect(fromOf([tier("0.5"), tier("")], 1)).toBe("0.5");
  });

  it("are written with both of their ends", () => {
    const draft = { ...NO_PRICE, tiers: [tier("10", "1.00", "5"), tier("", "0.5")] };
    expect(writePrice("graduated", draft, null)).toEqual({
      graduated_ranges: [
        { from_value: 0, to_value: 10, per_unit_amount: "1.00", flat_amount: "5" },
        { from_value: 11, to_value: null, per_unit_amount: "0.5", flat_amount: "0" },
      ],
    });
  });

  it("are added below the open end and taken away anywhere", () => {
    const two = addTier([tier("", "3")]);
    expect(two).toEqual([tier("100", "3"), tier("", "3")]);
    expect(addTier(two).map(({ to }) => to)).toEqual(["100", "200", ""]);
    expect(removeTier([tier("10"), tier("20"), tier("")], 2).map(({ to }) => to)).toEqual(["10", ""]);
    expect(removeTier([tier("10"), tier("20"), tier("")], 0).map(({ to }) => to)).toEqual(["20", ""]);
  });

  it("refuse an edge below where they begin", () => {
    const faults = priceFaults("graduated", { ...NO_PRICE, tiers: [tier("10"), tier("10"), tier("")] });
    expect(faults).toEqual({ "tiers.1.to": "This is below 11, where the tier begins." });
  });
});

describe("properties", () => {
  it("go back as they came where nothing was changed, in another's hand as well", () => {
    const adjacent = {
      graduated_ranges: [
        { from_value: "0", to_value: "10", per_unit_amount: "1", flat_amount: "0" },
        { from_value: "10", to_value: null, per_unit_amount: "2", flat_amount: "0" },
      ],
    };
    const kept = { model: "graduated" as const, properties: adjacent };
    expect(writePrice("graduated", readPrice("graduated", adjacent), kept)).toBe(adjacent);
    const changed = { ...readPrice("graduated", adjacent), pricing_group_keys: ["region"] };
    expect(writePrice("graduated", changed, kept)).toMatchObject({ pricing_group_keys: ["region"] });
  });

  it("of a percentage leave out what is not typed", () => {
    const draft = { ...NO_PRICE, rate: "1.4", per_transaction_min_amount: "0.5" };
    expect(writePrice("percentage", draft, null)).toEqual({ rate: "1.4", per_transaction_min_amount: "0.5" });
  });
});

describe("a price in words", () => {
  it("names its span, its packages, its shares", () => {
    const ranges = [
      { from_value: 0, to_value: 500000, per_unit_amount: "0", flat_amount: "0" },
      { from_value: 500001, to_value: null, per_unit_amount: "0.00025", flat_amount: "2" },
    ];
    expect(priceWords("graduated", { graduated_ranges: ranges }, "EUR")).toBe("from €0.00 to €0.00025");
    expect(priceLines("graduated", { graduated_ranges: ranges }, "EUR")).toEqual([
      "0–500,000: €0.00 a unit",
      "From 500,001: €0.00025 a unit, €2.00 flat",
    ]);
    expect(priceWords("package", { amount: "6", package_size: 1000000 }, "EUR")).toBe("€6.00 per 1,000,000");
    expect(priceWords("percentage", { rate: "1.40", fixed_amount: "0.25" }, "EUR")).toBe(
      "1.4% + €0.25 an event",
    );
    expect(priceWords("standard", { amount: "0.08" }, "EUR")).toBe("€0.08 per unit");
  });
});

describe("a curve", () => {
  it("is looked at on both sides of every edge", () => {
    const places = curveUnits("volume", { ...NO_PRICE, tiers: [tier("10"), tier("")] }, 20, 4);
    expect(places).toEqual(["0", "5", "10", "11", "15", "20"]);
  });

  it("of packages at every step", () => {
    const places = curveUnits("package", { ...NO_PRICE, package_size: "10" }, 20, 1);
    expect(places).toEqual(["0", "1", "10", "11", "20"]);
  });

  it("ends at a round number", () => {
    expect([rounded(7), rounded(4_000_000), rounded(1100), rounded(0)]).toEqual([8, 4_000_000, 1500, 1]);
  });
});
