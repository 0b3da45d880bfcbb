import { describe, expect, it } from "vitest";
import { countries } from "@/lib/countries";
import { numberPreview } from "./choices";

describe("numberPreview", () => {
  it("shows the customer's number and the invoice's, or the month and the invoice's", () => {
    expect(numberPreview("HOO-4F2A", "per_customer", "2025-03-09")).toBe("HOO-4F2A-001-001");
    expect(numberPreview("HOO-4F2A", "per_billing_entity", "2025-03-09")).toBe("HOO-4F2A-202503-001");
    expect(numberPreview(" hoo ", "per_customer", "2025-03-09"), "kept in capitals").toBe("HOO-001-001");
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
