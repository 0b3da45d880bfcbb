import { describe, expect, it } from "vitest";
import { brandVariables, contrast, parse } from "./brand";

const lightAndDark = (value: string) =>
  /light-dark\((#\w+), (#\w+)\)/
    .exec(value)!
    .slice(1)
    .map((color) => parse(color)!) as [[number, number, number], [number, number, number]];

describe("contrast", () => {
  it("is 21 between black and white, 1 with itself", () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 5);
    expect(contrast([8, 8, 8], [8, 8, 8])).toBe(1);
  });
});

describe("brandVariables", () => {
  it.each(["#8a2f55", "#ffe600", "#000000", "#ffffff", "#00ff88", "#1a1aff"])(
    "makes %s readable in both themes",
    (color) => {
      const variables = brandVariables(color);
      const [light, dark] = lightAndDark(variables["--accent"]!);
      const [onLight, onDark] = lightAndDark(variables["--on-accent"]!);
      expect(contrast(light, [255, 255, 255])).toBeGreaterThanOrEqual(4.5);
      expect(contrast(dark, [20, 24, 25])).toBeGreaterThanOrEqual(4.5);
      expect(contrast(onLight, light)).toBeGreaterThanOrEqual(4.5);
      expect(contrast(onDark, dark)).toBeGreaterThanOrEqual(4.5);
    },
  );

  it("keeps a colour that is readable", () => {
    expect(brandVariables("#8a2f55")["--accent"]).toContain("#8a2f55");
  });

  it.each([null, "", "red", "#fff", "#12345g", "url(x)"])("is nothing for %s", (color) => {
    expect(brandVariables(color)).toEqual({});
  });
});
