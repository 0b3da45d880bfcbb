import { describe, expect, it } from "vitest";
import { isDivided, leftOf, maximaOf, suggestParts } from "./allocation";

describe("the parts of a credit note", () => {
  it("settle what is due first, then are credit, then money back", () => {
    // 119.00, of which 50.00 are still due: the other 69.00 become credit.
    const limits = { credit: 11900, refund: 6900, offset: 5000 };
    expect(suggestParts(11900, limits)).toEqual({ credit: 6900, refund: 0, offset: 5000 });
    // Prepaid credits that are paid for can't become credit: they are paid back.
    expect(suggestParts(11900, { credit: 0, refund: 11900, offset: 0 })).toEqual({
      credit: 0,
      refund: 11900,
      offset: 0,
    });
  });

  it("have to be the total, each within its limit", () => {
    const limits = { credit: 10000, refund: 4000, offset: 0 };
    expect(leftOf(10000, { credit: 5000, refund: 4000, offset: 0 })).toBe(1000);
    expect(isDivided(10000, { credit: 5000, refund: 4000, offset: 0 }, limits)).toBe(false);
    expect(isDivided(10000, { credit: 6000, refund: 4000, offset: 0 }, limits)).toBe(true);
    expect(isDivided(10000, { credit: 5000, refund: 5000, offset: 0 }, limits)).toBe(false);
    expect(isDivided(10000, { credit: 11000, refund: -1000, offset: 0 }, limits)).toBe(false);
    expect(isDivided(0, { credit: 0, refund: 0, offset: 0 }, limits)).toBe(false);
  });

  it("leave of a fee what notes before did not give back", () => {
    const fees = [
      { lago_id: "a", amount_cents: 1000 },
      { lago_id: "b", amount_cents: 500 },
    ];
    const note = (cents: number) => ({
      credit_status: "available",
      items: [{ amount_cents: cents, fee: { lago_id: "a" } }],
    });
    const left = maximaOf(fees, [note(300), note(200)]);
    expect([left.get("a"), left.get("b")]).toEqual([500, 500]);
    expect(maximaOf(fees, [note(1200)]).get("a")).toBe(0);
  });
});
