import { describe, expect, it } from "vitest";
import { ApiError, explain, explainRead } from "./errors";

const failed = (status: number) => new ApiError(status, { status });

describe("explain", () => {
  it.each([new TypeError("Failed to fetch"), failed(502), failed(504)])(
    "does not call a change undone of which nobody heard: %s",
    (error) => {
      expect(explain(error)).toContain("It may have been done all the same");
    },
  );

  it("calls it undone where the server itself failed, which has then rolled it back", () => {
    expect(explain(failed(500))).toBe("The server failed. Nothing has been changed.");
  });
});

describe("explainRead", () => {
  it.each([
    [new TypeError("Failed to fetch"), "The server did not answer."],
    [failed(500), "The server failed."],
    [failed(429), "Too many requests. Try again in a minute."],
  ])("speaks of no change: %s", (error, words) => {
    expect(explainRead(error)).toBe(words);
  });
});
