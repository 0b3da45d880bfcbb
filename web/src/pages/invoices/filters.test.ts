import { expect, it } from "vitest";
import { queryOf } from "./filters";

it("filters are read as lists, and amounts in the currency that is filtered by", () => {
  expect(queryOf({ "payment_statuses[]": "pending,failed", amount_from: "12.50" }, "EUR")).toEqual({
    "payment_statuses[]": ["pending", "failed"],
    amount_from: 1250,
  });
  expect(queryOf({ amount_to: "3000", currency: "jpy" }, "EUR")).toEqual({
    amount_to: 3000,
    currency: "JPY",
  });
  expect(queryOf({ amount_to: "a lot", status: "draft" }, "EUR")).toEqual({ status: "draft" });
});
