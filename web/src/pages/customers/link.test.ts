import { describe, expect, it } from "vitest";
import { moveLink, readLink, standingOf, UNLINKED, writeLink } from "./link";

const saved = {
  invoice_grace_period: null,
  subscription_invoice_issuing_date_anchor: null,
  subscription_invoice_issuing_date_adjustment: null,
  document_locale: null,
  payment_provider: "stripe",
  payment_provider_code: "eu",
  provider_customer_id: "cus_1",
  sync_with_provider: true,
  provider_payment_methods: ["card", "link"],
};

describe("a customer's link", () => {
  it("stays as it is where nothing is changed", () => {
    expect(writeLink(readLink(saved), readLink(saved))).toBeUndefined();
    expect(writeLink(UNLINKED, UNLINKED)).toBeUndefined();
  });

  it("is made there, or by an id that they have", () => {
    const chosen = { ...UNLINKED, payment_provider: "stripe:eu" };
    expect(writeLink(chosen, UNLINKED)).toEqual({
      payment_provider: "stripe",
      payment_provider_code: "eu",
      sync_with_provider: true,
      provider_payment_methods: ["card"],
    });
    const known = { ...UNLINKED, payment_provider: "adyen:main", links_by: "id" as const };
    expect(writeLink({ ...known, provider_customer_id: " shopper " }, UNLINKED)).toEqual({
      payment_provider: "adyen",
      payment_provider_code: "main",
      provider_customer_id: "shopper",
    });
  });

  it("keeps its id where only the methods change, and goes where the provider does", () => {
    const before = readLink(saved);
    expect(before.links_by).toBe("id");
    expect(writeLink({ ...before, provider_payment_methods: ["card"] }, before)).toEqual({
      payment_provider: "stripe",
      payment_provider_code: "eu",
      provider_customer_id: "cus_1",
      provider_payment_methods: ["card"],
    });
    expect(writeLink({ ...before, payment_provider: "none" }, before)).toEqual({ payment_provider: null });
  });

  it("knows nobody by the id that they have at another account", () => {
    const before = readLink(saved);
    const moved = moveLink(before, "gocardless:uk", before);
    expect(writeLink(moved, before)).toEqual({
      payment_provider: "gocardless",
      payment_provider_code: "uk",
      sync_with_provider: true,
    });
    expect(moveLink(moved, "stripe:eu", before)).toEqual(before);
  });

  it("stands as it is told", () => {
    expect(standingOf(saved, true)).toBe("linked");
    expect(standingOf({ ...saved, provider_customer_id: null }, true)).toBe("waiting");
    expect(standingOf({ ...saved, provider_customer_id: null, sync_with_provider: null }, true)).toBe(
      "unlinked",
    );
    expect(standingOf({ ...saved, provider_customer_id: null }, false)).toBe("pages");
  });
});
