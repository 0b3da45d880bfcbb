import { expect, it } from "vitest";
import { byArea, wordsOf } from "./permissions";

it("groups permissions by area, seeing first", () => {
  expect(
    byArea(["plans:update", "organization:taxes:view", "plans:view", "plans:delete", "plans:archive"]),
  ).toEqual([
    ["organization:taxes", ["organization:taxes:view"]],
    ["plans", ["plans:view", "plans:update", "plans:delete", "plans:archive"]],
  ]);
});

it("writes names in words", () => {
  expect(wordsOf("organization:billing_entities")).toBe("Organization, billing entities");
});
