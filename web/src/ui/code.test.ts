import { describe, expect, it } from "vitest";
import { piecesOf } from "./code";

describe("pieces of JSON", () => {
  it("tells keys, texts and numbers apart", () => {
    expect(piecesOf('{"a": "b: 1", "c": -1.5}')).toEqual([
      ["", "{"],
      ["k", '"a"'],
      ["", ":"],
      ["", " "],
      ["s", '"b: 1"'],
      ["", ", "],
      ["k", '"c"'],
      ["", ":"],
      ["", " "],
      ["n", "-1.5"],
      ["", "}"],
    ]);
  });

  it("loses nothing", () => {
    const text = JSON.stringify({ a: ['x"y', null, true, 1e-7], b: {} }, null, 2);
    expect(
      piecesOf(text)
        .map(([, piece]) => piece)
        .join(""),
    ).toBe(text);
  });
});
