import { describe, expect, it } from "vitest";
import { ApiError } from "@/api/errors";
import { faultsOf } from "./faults";

const refusal = (error_details: object, error_places = {}) =>
  new ApiError(422, {
    status: 422,
    code: "validation_errors",
    error_details: error_details as never,
    error_places,
  });

describe("faultsOf", () => {
  it("puts what is wrong where it is asked for", () => {
    const { faults, rest } = faultsOf(
      refusal(
        { units: ["value_is_out_of_range"], currency: ["currencies_does_not_match"] },
        { "fees.1.units": ["value_is_out_of_range"] },
      ),
    );
    expect(faults).toEqual({ "1.units": "This is out of range.", customer: "The currencies differ." });
    expect(rest).toBeNull();
  });

  it("tells each of several lines what is wrong with it", () => {
    const refused = refusal(
      { tax_codes: ["value_is_invalid"], boundaries: ["values_are_invalid"] },
      { "fees.0.tax_codes": ["value_is_invalid"], "fees.2.boundaries": ["values_are_invalid"] },
    );
    expect(faultsOf(refused)).toEqual({
      faults: { "0.taxes": "This is not valid.", "2.period": "Values are invalid." },
      rest: null,
    });
  });

  it("takes a single line's own fields for its", () => {
    const refused = refusal({ units: ["value_is_out_of_range"] });
    expect(faultsOf(refused, true)).toEqual({ faults: { "0.units": "This is out of range." }, rest: null });
    expect(faultsOf(refused)).toEqual({ faults: {}, rest: refused });
  });

  it("leaves to the head what has no place", () => {
    const { faults, rest } = faultsOf(refusal({ purchase_order_number: ["value_is_too_long"], base: ["x"] }));
    expect(faults).toEqual({ order: "This is too long." });
    expect((rest as ApiError).fields).toEqual({ base: ["x"] });
    const gone = new ApiError(404, { status: 404, code: "add_on_not_found" });
    expect(faultsOf(gone)).toEqual({ faults: {}, rest: gone });
  });
});
