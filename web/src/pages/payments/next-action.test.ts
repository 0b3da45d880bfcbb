import { describe, expect, it } from "vitest";
import { actionWords, pageOf } from "./next-action";

const redirect = {
  type: "redirect_to_url",
  redirect_to_url: { return_url: "https://shop.example/thanks", url: "https://pay.example/3ds" },
};

describe("what a customer has to do", () => {
  it("is found wherever the provider says it", () => {
    expect(pageOf(redirect)).toBe("https://pay.example/3ds");
    expect(pageOf({ url: "javascript:alert(1)" })).toBeNull();
    expect(pageOf({})).toBeNull();
  });

  it("is said in words, and is nothing where nothing is to be done", () => {
    expect(actionWords(redirect)).toBe("The customer has to confirm it");
    expect(actionWords({ type: "verify_with_microdeposits" })).toBe("Verify with microdeposits");
    expect(actionWords({})).toBeNull();
  });
});
