import { describe, expect, it } from "vitest";
import { priceOfCredits, readCredits } from "./credits";

describe("readCredits", () => {
  it("takes plain and grouped numbers", () => {
    expect(readCredits(" 1,000 ")).toBe("1000");
    expect(readCredits("12.5")).toBe("12.5");
    expect(readCredits("")).toBe("");
  });

  it("refuses what is none", () => {
    expect(readCredits("-1")).toBeNull();
    expect(readCredits("1.123456")).toBeNull();
    expect(readCredits("ten")).toBeNull();
  });
});

describe("priceOfCredits", () => {
  it("is exact", () => {
    expect(priceOfCredits("1000", "0.05")).toBe("50");
    expect(priceOfCredits("0.1", "0.3")).toBe("0.03");
  });
});
