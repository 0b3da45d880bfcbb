import { render } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { type CreditNote, noteStatusColumns } from "./related-columns";

/** What stands below "Credit" and "Refund" of a note of these amounts and statuses. */
function shownOf(note: Partial<CreditNote>): string[] {
  const zero = { credit_amount_cents: 0, refund_amount_cents: 0, credit_status: null, refund_status: null };
  return noteStatusColumns.map((column) => {
    const { container } = render(column.cell({ ...zero, ...note } as CreditNote));
    for (const folded of container.querySelectorAll(".only-phone")) folded.remove();
    return container.textContent;
  });
}

describe("noteStatusColumns", () => {
  it("tell of the credit and of the refund each how it stands", () => {
    const credit = { credit_amount_cents: 100, credit_status: "consumed" } as const;
    expect(shownOf(credit)).toEqual(["Consumed", "–"]);
    expect(shownOf({ refund_amount_cents: 100, refund_status: "failed" })).toEqual(["–", "Failed"]);
    expect(shownOf({ ...credit, refund_amount_cents: 100, refund_status: "succeeded" })).toEqual([
      "Consumed",
      "Paid back",
    ]);
  });
});
