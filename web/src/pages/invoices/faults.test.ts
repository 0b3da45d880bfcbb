import { describe, expect, it } from "vitest";
import { ApiError } from "@/api/errors";
import { faultsOf } from "./faults";

const refusal = (error_details: object) =>
  new ApiError(422, { status: 422, code: "validation_errors", error_details: error_details as never });

describe("faultsOf", () => {
  it("puts what is wrong where it is asked for", () => {
    const { faults, rest } = faultsOf(
      refusal({ units: ["value_is_out_of_range"], currency: ["currencies_does_not_match"] }),
      1,
    );
    expect(faults).toEqual({ "0.units": "This is out of range.", customer: "The currencies differ." });
    expect(rest).toBeNull();
  });

  it("takes the only line for a field that names none, and leaves it to the head among several", () => {
    const refused = refusal({ tax_codes: ["value_is_invalid"] });
    expect(faultsOf(refused, 1)).toEqual({ faults: { "0.taxes": "This is not valid." }, rest: null });
    expect(faultsOf(refused, 2)).toEqual({ faults: {}, rest: refused });
  });

  it("leaves to the head what has no place", () => {
    const { faults, rest } = faultsOf(
      refusal({ purchase_order_number: ["value_is_too_long"], base: ["x"] }),
      1,
    );
    expect(faults).toEqual({ order: "This is too long." });
    expect((rest as ApiError).fields).toEqual({ base: ["x"] });
    const gone = new ApiError(404, { status: 404, code: "add_on_not_found" });
    expect(faultsOf(gone, 1)).toEqual({ faults: {}, rest: gone });
  });
});
