import { describe, expect, it } from "vitest";
import { NEW_CUSTOMER, writeCustomer } from "./form";

describe("writeCustomer", () => {
  const before = { ...NEW_CUSTOMER, external_id: "cus_1", name: "Kessler", emails: ["a@example.com"] };

  it("changes nothing where nothing was changed", () => {
    expect(writeCustomer({ ...before }, before)).toEqual({ external_id: "cus_1" });
  });

  it("says only what differs, and empties with null", () => {
    const form = { ...before, name: "", city: " Hamburg ", emails: ["a@example.com", "b@example.com"] };
    expect(writeCustomer(form, before)).toEqual({
      external_id: "cus_1",
      name: null,
      city: "Hamburg",
      email: "a@example.com,b@example.com",
    });
  });

  it("names what is kept of the metadata by its id", () => {
    const kept = { id: "m1", key: "crm", value: "1", display_in_invoice: false };
    const added = { id: "", key: " tier ", value: "gold", display_in_invoice: true };
    const form = { ...before, metadata: [kept, added, { ...added, key: " " }] };
    expect(writeCustomer(form, before).metadata).toEqual([
      kept,
      { key: "tier", value: "gold", display_in_invoice: true },
    ]);
  });

  it("sends a whole shipping address when any of it changes", () => {
    const form = { ...before, shipping_address: { ...before.shipping_address, country: "DE" } };
    expect(writeCustomer(form, before).shipping_address).toEqual({
      address_line1: null,
      address_line2: null,
      zipcode: null,
      city: null,
      state: null,
      country: "DE",
    });
  });
});
