import { expect, it } from "vitest";
import { isNearly } from "./limit-words";

it("tells of a limit that is nearly reached with a tenth left", () => {
  expect([isNearly(899, 1000), isNearly(900, 1000), isNearly(12, 10)]).toEqual([false, true, true]);
});
