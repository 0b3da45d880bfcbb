import { describe, expect, it } from "vitest";
import { differencesOf } from "./changes";

describe("what was and what is", () => {
  it("is told of each field, in words", () => {
    expect(
      differencesOf({
        name: [null, "Gold"],
        pay_in_advance: [false, true],
        tax_codes: [[], ["vat", "city"]],
        updated_at: ["2026-01-01", "2026-01-02"],
      }),
    ).toEqual([
      { where: "Name", before: "nothing", after: "Gold" },
      { where: "Pay in advance", before: "no", after: "yes" },
      { where: "Tax codes", before: "nothing", after: "vat, city" },
    ]);
  });

  it("is told of the parts of a price that differ, by the charge's code", () => {
    const before = { amount: "1", graduated_ranges: null };
    const after = { amount: "2", graduated_ranges: null };
    expect(differencesOf({ "plan.charges.api_calls.properties": [before, after] })).toEqual([
      { where: "Plan, charge api_calls, amount", before: "1", after: "2" },
    ]);
  });

  it("is whole where something came or went", () => {
    const filter = { values: { region: ["eu"] }, properties: { amount: "4" }, invoice_display_name: null };
    expect(differencesOf({ "charges.calls.filters.region=eu": [null, filter] })).toEqual([
      {
        where: "Charge calls, filter region=eu",
        before: "nothing",
        after: "values region eu, properties amount 4",
      },
    ]);
    expect(differencesOf({ "entitlements.sso": [{}, null] })).toEqual([
      { where: "Feature sso", before: "nothing more", after: "nothing" },
    ]);
  });

  it("has amounts in the currency where that is known", () => {
    const changes = { amount_cents: [100, 2990] };
    expect(differencesOf(changes, "EUR")).toEqual([{ where: "Amount", before: "€1.00", after: "€29.90" }]);
    const commitment = { minimum_commitment: [null, { amount_cents: 50000, tax_codes: [] }] };
    expect(differencesOf(commitment, "EUR")).toEqual([
      { where: "Minimum commitment", before: "nothing", after: "amount €500.00" },
    ]);
    expect(differencesOf(changes)).toEqual([{ where: "Amount cents", before: "100", after: "2990" }]);
  });

  it("is short, and nothing where an entry says nothing", () => {
    const [long] = differencesOf({ details: ["a", "b".repeat(900)] });
    expect(long!.after.length).toBe(399);
    expect(differencesOf(null)).toEqual([]);
    expect(differencesOf({ odd: "x" })).toEqual([]);
  });
});
