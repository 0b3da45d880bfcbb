import { describe, expect, it } from "vitest";
import { changesSince } from "./changes";

const owed = (number: string, total_due_amount_cents: number) => ({
  lago_id: number,
  number,
  currency: "EUR",
  total_due_amount_cents,
});

describe("invoices that changed since they were shown", () => {
  it("are named with what is due now, and those that were paid", () => {
    const shown = [owed("A-1", 1000), owed("A-2", 2050), owed("A-3", 300)];
    expect(changesSince(shown, [owed("A-1", 1000), owed("A-2", 50), owed("A-4", 700)])).toEqual([
      "A-2: €0.50 are due, and no more €20.50.",
      "A-3 is not overdue any more.",
    ]);
  });

  it("are none where nothing is otherwise", () => {
    expect(changesSince([owed("A-1", 1000)], [owed("A-1", 1000)])).toEqual([]);
  });
});
