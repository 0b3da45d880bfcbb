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

  it("says what a payment provider says, at no field of the form", () => {
    const refused = new ApiError(422, {
      status: 422,
      code: "provider_error",
      error_details: { code: "resource_missing", message: "No such customer: cus_1" } as never,
    });
    expect(refused.fields).toEqual({});
    expect(explain(refused)).toBe("The payment provider says: No such customer: cus_1");
    const away = { third_party: "stripe", thirdparty_error: "nobody there" } as never;
    expect(explain(new ApiError(422, { status: 422, code: "third_party_error", error_details: away }))).toBe(
      "Stripe says: nobody there",
    );
  });

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
