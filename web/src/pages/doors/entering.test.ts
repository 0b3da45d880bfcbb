import { expect, it } from "vitest";
import { isOpenTo, isOwnPath } from "./entering";

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

it.each([
  ["/acme/invoices?status=draft", true],
  ["/acme?a=1", true],
  ["/11111111-1111-4111-8111-111111111111/customer/c/invoice/i/overview", true],
  ["/new", true],
  ["/other/invoices", false],
  ["/acme-2/invoices", false],
  ["/", false],
])("leads a member of acme to %s: %s", (path, expected) => {
  const organization = { slug: "acme", lago_id: "11111111-1111-4111-8111-111111111111" };
  expect(isOpenTo({ memberships: [{ organization }] } as never, path)).toBe(expected);
});
