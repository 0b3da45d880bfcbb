import { describe, expect, it } from "vitest";
import { countries } from "./choices";

describe("countries", () => {
  it("has those that exist, once", () => {
    const codes = countries().map((one) => one.value);
    expect(codes).toContain("DE");
    expect(codes).toContain("JP");
    expect(codes).not.toContain("SU");
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.length).toBeGreaterThan(240);
  });
});
