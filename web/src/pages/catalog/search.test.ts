import { describe, expect, it } from "vitest";
import { pageOrAll, searched } from "./search";

const meta = { current_page: 1, prev_page: null, next_page: null, total_pages: 1, total_count: 3 };
const answer = {
  plans: [
    { name: "Scale", code: "scale_2025" },
    { name: "Starter", code: "starter" },
    { name: "Small scale", code: "sc_s" },
  ],
  meta,
};

describe("a list without a search of its own", () => {
  it("is shown as it came where nothing is looked for", () => {
    expect(pageOrAll({ term: "", page: 2, per_page: 20 })).toEqual({ page: 2, per_page: 20 });
    expect(searched(answer, "plans", { term: "", page: 1, per_page: 20 })).toEqual({
      rows: answer.plans,
      meta,
    });
  });

  it("is looked through by names and codes, and paged anew", () => {
    expect(pageOrAll({ term: "x", page: 2, per_page: 20 })).toEqual({ page: 1, per_page: 1000 });
    const found = searched(answer, "plans", { term: "SCALE", page: 1, per_page: 1 });
    expect(found.rows.map(({ name }) => name)).toEqual(["Scale"]);
    expect(found.meta).toEqual({
      current_page: 1,
      prev_page: null,
      next_page: 2,
      total_pages: 2,
      total_count: 2,
    });
    expect(searched(answer, "plans", { term: "2025", page: 1, per_page: 20 }).rows).toEqual([
      answer.plans[0],
    ]);
    expect(searched(answer, "plans", { term: "none", page: 1, per_page: 20 }).meta.total_count).toBe(0);
  });
});
