import { describe, expect, it } from "vitest";
import { numberPreview } from "./numbering";

describe("numberPreview", () => {
  it("shows the customer's number and the invoice's, or the month and the invoice's", () => {
    expect(numberPreview("HOO-4F2A", "per_customer", "2025-03-09")).toBe("HOO-4F2A-001-001");
    expect(numberPreview("HOO-4F2A", "per_billing_entity", "2025-03-09")).toBe("HOO-4F2A-202503-001");
    expect(numberPreview(" hoo ", "per_customer", "2025-03-09"), "kept in capitals").toBe("HOO-001-001");
  });
});
