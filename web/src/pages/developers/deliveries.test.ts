import { describe, expect, it } from "vitest";
import { hostOf, triesOf } from "./deliveries";

describe("the tries of a delivery", () => {
  it.each([
    ["pending", 0, 0],
    ["succeeded", 0, 1],
    ["succeeded", 2, 3],
    ["retrying", 1, 1],
    ["failed", 3, 3],
  ] as const)("that is %s after %i failed ones are %i", (status, retries, tries) => {
    expect(triesOf({ status, retries })).toBe(tries);
  });
});

it("shows an address that is none as it is", () => {
  expect(hostOf("https://hooks.example.com:8443/a?b")).toBe("hooks.example.com:8443");
  expect(hostOf("http://%%/a")).toBe("http://%%/a");
});
