import { beforeEach, describe, expect, it } from "vitest";
import { heightBy, keepHeight, keptHeight } from "./height";

beforeEach(() => localStorage.clear());

describe("the panel's height", () => {
  it("leaves something of the page, and something of the panel", () => {
    expect([3, 20, 45.4, 120].map(heightBy)).toEqual([20, 20, 45, 90]);
  });

  it("is kept, and is usual where nothing that is a height was kept", () => {
    expect(keptHeight()).toBe(45);
    keepHeight(60);
    expect(keptHeight()).toBe(60);
    localStorage.setItem("tallymark.developers-panel", "high");
    expect(keptHeight()).toBe(45);
  });
});
