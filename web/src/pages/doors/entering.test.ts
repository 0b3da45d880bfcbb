import { expect, it } from "vitest";
import { isOwnPath } from "./entering";

it.each([
  ["/acme/invoices?status=draft", true],
  ["//evil.example/acme", false],
  ["/\\evil.example", false],
  ["https://evil.example", false],
  ["javascript:alert(1)", false],
  ["/sign-in", false],
  [undefined, false],
])("takes %s for a page of this site: %s", (path, expected) => {
  expect(isOwnPath(path)).toBe(expected);
});
