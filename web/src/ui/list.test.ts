import { describe, expect, it } from "vitest";
import { spread } from "./list";

describe("spread", () => {
  it("puts what has come at its place, and leaves room for the rest", () => {
    const rows = spread(
      new Map([
        [1, ["a", "b"]],
        [3, ["c"]],
      ]),
      450,
    );
    expect(rows).toHaveLength(450);
    expect([rows[0], rows[1], rows[2], rows[400]]).toEqual(["a", "b", undefined, "c"]);
  });

  it("makes no page higher than a hundred thousand rows", () => {
    expect(spread(new Map([[1, ["a"]]]), 3_000_000)).toHaveLength(100_000);
    expect(spread(new Map([[500, Array.from({ length: 200 }, () => "z")]]), 3_000_000).at(-1)).toBe("z");
  });
});
