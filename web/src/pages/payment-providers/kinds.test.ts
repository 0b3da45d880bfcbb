import { describe, expect, it } from "vitest";
import { type Connection, PROVIDERS, readConnection, writeConnection } from "./kinds";

const saved: Connection = {
  lago_id: "1",
  kind: "adyen",
  code: "eu",
  name: "Europe",
  success_redirect_url: null,
  inbound_url: "https://bill.example/webhooks/adyen/1?code=eu",
  inbound_secret: null,
  options: { merchant_account: "AcmeECOM", live_prefix: "1797a841", link_first_minutes: 30 },
  secrets: { api_key: "…4242", hmac_key: "…00ff" },
  customers_count: 2,
  created_at: "2026-01-01T00:00:00Z",
  abilities: { saves_methods: true, charges: true, has_pages: true, refunds: true },
};

describe("a connection", () => {
  it("knows the six kinds that customers can be linked to", () => {
    expect(PROVIDERS.map(({ kind }) => kind)).toEqual([
      "stripe",
      "gocardless",
      "adyen",
      "cashfree",
      "flutterwave",
      "moneyhash",
    ]);
  });

  it("is sent whole when it is made, with nothing of other kinds", () => {
    const form = { ...readConnection(null), name: " Main ", code: "main", secret_key: "sk_test_4242" };
    expect(writeConnection("stripe", { ...form, api_key: "stray", supports_3ds: true }, null)).toEqual({
      kind: "stripe",
      name: "Main",
      code: "main",
      success_redirect_url: null,
      secret_key: "sk_test_4242",
      supports_3ds: true,
      require_terms_of_service_consent: false,
      link_first_minutes: 0,
    });
  });

  it("sends nothing where nothing was changed, not even its secrets", () => {
    expect(writeConnection("adyen", readConnection(saved), saved)).toEqual({});
  });

  it("sends what was changed, empties with null and lets an empty secret stay", () => {
    const form = { ...readConnection(saved), live_prefix: " ", hmac_key: "", api_key: "AQE", code: "emea" };
    expect(writeConnection("adyen", form, saved)).toEqual({
      code: "emea",
      api_key: "AQE",
      live_prefix: null,
    });
  });

  it("does not change Stripe's key", () => {
    const stripe = { ...saved, kind: "stripe" as const, options: {} };
    expect(writeConnection("stripe", { ...readConnection(stripe), secret_key: "sk_other" }, stripe)).toEqual(
      {},
    );
  });

  it("waits for a page as long as is said, and not at all once that is off", () => {
    const form = readConnection(saved);
    expect(form.link_first_minutes).toBe("30");
    expect(writeConnection("adyen", { ...form, link_first_minutes: "45" }, saved)).toEqual({
      link_first_minutes: 45,
    });
    expect(writeConnection("adyen", { ...form, waits_for_page: false }, saved)).toEqual({
      link_first_minutes: 0,
    });
    const off = { ...readConnection(null), waits_for_page: true };
    expect(off.link_first_minutes).toBe("10");
  });
});
