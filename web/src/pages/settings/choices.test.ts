import { describe, expect, it } from "vitest";
import { countries } from "@/lib/countries";
import { numberPreview } from "./choices";

describe("numberPreview", () => {
  it("shows the customer's number and the invoice's, or the month and the invoice's", () => {
    const march = new Date("2025-03-09T12:00:00Z");
    expect(numberPreview("HOO-4F2A", "per_customer", march)).toBe("HOO-4F2A-001-001");
    expect(numberPreview("HOO-4F2A", "per_billing_entity", march)).toBe("HOO-4F2A-202503-001");
  });
});

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
