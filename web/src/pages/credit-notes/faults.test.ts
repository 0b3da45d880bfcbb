import { describe, expect, it } from "vitest";
import { ApiError } from "@/api/errors";
import { refusalsOf } from "./faults";

const ITEMS = [{ fee_id: "a" }, { fee_id: "b" }];

const refusal = (error_details: Record<string, string[]>, error_places = {}) =>
  new ApiError(422, { status: 422, code: "validation_errors", error_details, error_places });

describe("refusalsOf", () => {
  it("puts what is wrong with an item at its fee, and with a part at the part", () => {
    const refused = refusal(
      {
        amount_cents: ["higher_than_remaining_fee_amount"],
        refund_amount_cents: ["value_is_out_of_range"],
        base: ["does_not_match_item_amounts"],
      },
      { "items.1.amount_cents": ["higher_than_remaining_fee_amount"] },
    );
    const { items, fields, rest } = refusalsOf(refused, ITEMS);
    expect([...items]).toEqual([["b", "Higher than remaining fee amount."]]);
    expect(fields).toEqual({ refund_amount_cents: "This is out of range." });
    expect((rest as ApiError).fields).toEqual({ base: ["does_not_match_item_amounts"] });
  });

  it("leaves nothing for the head of the form where all stands at its place", () => {
    expect(refusalsOf(refusal({ reason: ["value_is_invalid"] }), ITEMS).rest).toBeNull();
  });

  it("leaves what is no refusal as it is", () => {
    const failure = new TypeError("offline");
    expect(refusalsOf(failure, ITEMS).rest).toBe(failure);
    expect(refusalsOf(null, ITEMS).rest).toBeNull();
  });
});
