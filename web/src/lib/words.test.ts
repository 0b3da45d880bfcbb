import { describe, expect, it } from "vitest";
import { countWords, keyWords, typeWords } from "./words";

describe("a number with its noun", () => {
  it.each([
    [0, "plan", "0 plans"],
    [1, "plan", "1 plan"],
    [1204, "plan", "1,204 plans"],
    [2, "delivery", "2 deliveries"],
    [2, "day", "2 days"],
    [2, "address", "2 addresses"],
  ])("is %i %s as it is said", (number, noun, said) => {
    expect(countWords(number, noun)).toBe(said);
  });
});

it("puts a type of the wire in words", () => {
  expect(typeWords("invoice.payment_status_updated")).toBe("Invoice payment status updated");
  expect(typeWords("api_key.rotated")).toBe("API key rotated");
});

it.each([
  ["Importer", "1a2b", "Importer"],
  [null, "1a2b", "Unnamed key …1a2b"],
  [null, null, "Unnamed key"],
])("calls an API key %s with the ending %s %s", (name, ending, said) => {
  expect(keyWords({ name, ending })).toBe(said);
});
