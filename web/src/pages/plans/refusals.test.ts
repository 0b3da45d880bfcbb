import { describe, expect, it } from "vitest";
import { ApiError } from "@/api/errors";
import { placesOf, placesOfCharge } from "./refusals";

const refusal = (error_details: Record<string, string[]>, error_places = {}) =>
  new ApiError(422, { status: 422, code: "validation_errors", error_details, error_places });

describe("placesOf", () => {
  it("puts what is wrong with a charge or one of its filters there", () => {
    const refused = refusal(
      { properties: ["invalid_amount"], code: ["value_already_exist"], values: ["value_is_invalid"] },
      {
        "charges.1.properties": ["invalid_amount"],
        "charges.2.filters.0.values": ["value_is_invalid"],
        "fixed_charges.0.code": ["value_already_exist"],
      },
    );
    expect(placesOf(refused, 0)).toEqual({
      "charges.1.base": "Invalid amount.",
      "charges.2.filters.0.values": "This is not valid.",
      "fixed_charges.0.code": "This code is taken already.",
    });
  });

  it("tells an amount of the plan from one of its commitment", () => {
    expect(placesOf(refusal({ amount_cents: ["value_is_out_of_range"] }), 0)).toEqual({
      amount: "This is out of range.",
    });
    const of = { "minimum_commitment.amount_cents": ["value_is_out_of_range"] };
    expect(placesOf(refusal({ amount_cents: ["value_is_out_of_range"] }, of), 0)).toEqual({
      "commitment.amount": "This is out of range.",
    });
  });

  it("takes the threshold after the last for the one that recurs", () => {
    const of = (place: string) => refusal({ amount_cents: ["value_is_out_of_range"] }, { [place]: ["x"] });
    expect(Object.keys(placesOf(of("usage_thresholds.1.amount_cents"), 2))).toEqual(["thresholds.1.amount"]);
    expect(Object.keys(placesOf(of("usage_thresholds.2.amount_cents"), 2))).toEqual([
      "recurring_threshold.amount",
    ]);
  });

  it("finds the places of prices that a subscription has of its own", () => {
    const of = { "plan_overrides.charges.0.min_amount_cents": ["value_is_out_of_range"] };
    expect(placesOf(refusal({ min_amount_cents: ["value_is_out_of_range"] }, of), 0)).toEqual({
      "charges.0.min_amount": "This is out of range.",
    });
  });

  it("leaves the rest to the head of the form", () => {
    expect(placesOf(refusal({ tax: ["not_found"] }), 0)).toEqual({});
  });
});

describe("placesOfCharge", () => {
  it("puts what is wrong with one charge at its fields, whatever has none at its prices", () => {
    const refused = refusal(
      {
        properties: ["invalid_amount"],
        min_amount_cents: ["value_is_out_of_range"],
        charge_model: ["value_is_invalid"],
      },
      { "filters.1.properties": ["invalid_amount"] },
    );
    expect(placesOfCharge(refused, "charges.0")).toEqual({
      "charges.0.filters.1.base": "Invalid amount.",
      "charges.0.min_amount": "This is out of range.",
      "charges.0.base": "This is not valid.",
    });
    expect(placesOfCharge(refusal({ units: ["value_is_mandatory"] }), "fixed_charges.0")).toEqual({
      "fixed_charges.0.units": "This is needed.",
    });
  });
});
