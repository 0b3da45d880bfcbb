import { describe, expect, it } from "vitest";
import { LANGUAGES, languageFor, loadTexts } from ".";

describe("languageFor", () => {
  it.each([
    ["de", "de"],
    ["de-CH", "de"],
    ["pt", "pt-BR"],
    ["no", "nb"],
    ["zh-TW", "zh-TW"],
    ["zh-CN", "en"],
    ["", "en"],
  ])("takes %s as %s", (locale, expected) => {
    expect(languageFor(locale)).toBe(expected);
  });
});

describe("texts", () => {
  it.each(LANGUAGES)("of %s name their own language and say something everywhere", async (locale, name) => {
    const texts = await loadTexts(locale);
    expect(texts.language).toBe(name);
    const empty: string[] = [];
    const look = (value: unknown, path: string): void => {
      if (typeof value === "function") look((value as (...given: unknown[]) => unknown)("X", 2, 3), path);
      else if (typeof value === "object" && value)
        for (const [key, inner] of Object.entries(value)) look(inner, `${path}.${key}`);
      else if (!String(value).trim() || String(value).includes("undefined")) empty.push(path);
    };
    look(texts, "texts");
    expect(empty).toEqual([]);
  });
});
