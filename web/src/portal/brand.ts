/** The tenant's colour as the portal wears it: one input, made dark or light enough to be read in both themes. */

type Rgb = readonly [red: number, green: number, blue: number];

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
const NIGHT: Rgb = [20, 24, 25]; // --surface of the dark theme

/** Variables of tokens.css for a brand's colour; nothing where it is no `#rrggbb`. */
export function brandVariables(color: string | null | undefined): Record<string, string> {
  const base = color ? parse(color) : null;
  if (!base) return {};
  const day = towards(base, BLACK, WHITE);
  const night = towards(base, WHITE, NIGHT);
  const both = (light: Rgb, dark: Rgb) => `light-dark(${write(light)}, ${write(dark)})`;
  return {
    "--accent": both(day, night),
    "--accent-hover": both(mix(day, BLACK, 0.16), mix(night, WHITE, 0.16)),
    "--on-accent": both(WHITE, mix(night, BLACK, 0.86)),
    "--accent-ink": both(day, mix(night, WHITE, 0.12)),
    "--accent-soft": both(mix(day, WHITE, 0.92), mix(night, NIGHT, 0.84)),
    "--accent-line": both(mix(day, WHITE, 0.74), mix(night, NIGHT, 0.62)),
    "--selected": both(mix(day, WHITE, 0.93), mix(night, NIGHT, 0.86)),
    "--focus": both(mix(day, WHITE, 0.14), night),
    "--c1": both(day, night),
  };
}

/** How well a text in one colour is read on another, as WCAG counts it: 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

export function parse(color: string): Rgb | null {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  return match ? [hex(match[1]!), hex(match[2]!), hex(match[3]!)] : null;
}

/** A colour moved towards an end until a text in it is read on a ground (4.5:1). */
function towards(color: Rgb, end: Rgb, ground: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.04) {
    const moved = mix(color, end, share);
    if (contrast(moved, ground) >= 4.6) return moved;
  }
  return end;
}

function mix(one: Rgb, other: Rgb, share: number): Rgb {
  const at = (index: 0 | 1 | 2) => Math.round(one[index] * (1 - share) + other[index] * share);
  return [at(0), at(1), at(2)];
}

function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((part) => {
    const level = part / 255;
    return level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function hex(digits: string): number {
  return Number.parseInt(digits, 16);
}

function write(color: Rgb): string {
  return `#${color.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
