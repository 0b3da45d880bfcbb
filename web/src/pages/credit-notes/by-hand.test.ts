import { describe, expect, it } from "vitest";
import { byHand } from "./by-hand";

const came = (payment_provider_type: string | null, created_at: string, payment_status = "succeeded") =>
  ({ payment_provider_type, created_at, payment_status }) as never;

describe("a refund", () => {
  it("is a person's of money that nobody collected, or somebody who pays nothing back", () => {
    expect(byHand([])).toContain("No payment provider brought the money");
    expect(byHand([came(null, "2026-01-01T00:00:00Z")])).toContain("No payment provider");
    expect(byHand([came("flutterwave", "2026-01-01T00:00:00Z")])).toContain("Flutterwave is not asked");
  });

  it("is the provider's of whose money came last, if it came in", () => {
    const byStripe = came("stripe", "2026-01-02T00:00:00Z");
    expect(byHand([came(null, "2026-01-01T00:00:00Z"), byStripe])).toBeNull();
    expect(byHand([byStripe, came("cashfree", "2026-01-03T00:00:00Z")])).toContain("Cashfree");
    expect(byHand([byStripe, came("cashfree", "2026-01-03T00:00:00Z", "failed")])).toBeNull();
  });
});
