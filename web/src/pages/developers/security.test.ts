import { expect, test } from "vitest";
import { differencesOf } from "@/lib/changes";
import { readResources, SECURITY_EVENTS, SECURITY_TYPES } from "./security";

test("what was changed is apart from what it was changed of", () => {
  const told = readResources({
    lago_id: "1",
    webhook_url: "https://a.test",
    name: { deleted: "A", added: "B" },
  });
  expect(told).toEqual({
    name: "A",
    about: { lago_id: "1", webhook_url: "https://a.test" },
    changes: { name: ["A", "B"] },
  });
  expect(differencesOf(told.changes)).toEqual([{ where: "Name", before: "A", after: "B" }]);
});

test("an entry is named by what it is best known by, or not at all", () => {
  expect(readResources({ email: "a@b.test", roles: ["admin"] }).name).toBe("a@b.test");
  expect(readResources({ name: null, value: "…1a2b" }).name).toBeNull();
  expect(readResources({ permissions: { deleted: null, added: { tax: ["read"] } } }).name).toBeNull();
});

test("events are those of the types that have words", () => {
  expect([...new Set(SECURITY_EVENTS.map((event) => event.split(".")[0]))]).toEqual(
    Object.keys(SECURITY_TYPES),
  );
});
