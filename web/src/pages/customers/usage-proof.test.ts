import { expect, test } from "vitest";
import { isSumOfCharges, partName, proofOfParts, readWhy, totalOf, whyOf } from "./usage-proof";

const CHARGE = { charge: { lago_id: "7b1c" } };

test("what is asked about goes into the address and comes back, whatever the subscription is called", () => {
  expect(readWhy("usage")).toEqual({});
  expect(readWhy(totalOf("sub.1@eu"))).toEqual({ subscription: "sub.1@eu" });
  expect(readWhy(whyOf(CHARGE, "sub.1@eu"))).toEqual({ subscription: "sub.1@eu", charge: "7b1c" });
  expect(readWhy(whyOf(CHARGE, "sub", 2))).toEqual({ subscription: "sub", charge: "7b1c", part: 2 });
  expect(readWhy(undefined)).toBeNull();
  expect(readWhy("total")).toBeNull();
});

const PART = { lago_fee_id: null, lago_charge_id: "7b1c", currency: "EUR", steps: [] };

test("a charge is the sum of its parts, each of which leads on", () => {
  const none = { invoice_display_name: null, values: null };
  const proof = proofOfParts(
    [
      { ...PART, ...none, grouped_by: { region: "eu" }, amount_cents: 1250 },
      { ...PART, ...none, grouped_by: { region: "us" }, amount_cents: 75 },
    ],
    "sub",
  );
  const [step] = proof.steps;
  expect(step?.lines?.map((line) => [line.what, line.value, line.why])).toEqual([
    ["region: eu", "€12.50", "7b1c.0@sub"],
    ["region: us", "€0.75", "7b1c.1@sub"],
  ]);
  expect(step?.total?.value).toBe("€13.25");
});

test("a part is called by its group and its filter", () => {
  const filter = { invoice_display_name: null, values: { model: ["large", "huge"] } };
  expect(partName({ ...filter, grouped_by: { region: "eu" } })).toBe("region: eu; model: large, huge");
  expect(partName({ ...filter, grouped_by: {} })).toBe("model: large, huge");
  expect(partName({ invoice_display_name: null, values: null, grouped_by: {} })).toBe("Everything else");
});

test("usage that its charges do not come to is no proof", () => {
  const charges = [{ amount_cents: 1250 }, { amount_cents: 75 }];
  expect(isSumOfCharges([{ amount_cents: 1325, charges_usage: charges } as never])).toBe(true);
  expect(isSumOfCharges([{ amount_cents: 1326, charges_usage: charges } as never])).toBe(false);
});
