/** How high the panel is, in hundredths of the window; each browser keeps it. */
export const LEAST = 20;
export const MOST = 90;
const USUAL = 45;
const KEY = "tallymark.developers-panel";

/** A height as it is possible, in whole hundredths. */
export function heightBy(wanted: number): number {
  return Math.round(Math.min(MOST, Math.max(LEAST, wanted)));
}

/** The height that was chosen last. */
export function keptHeight(): number {
  const kept = Number(localStorage.getItem(KEY));
  return kept ? heightBy(kept) : USUAL;
}

export function keepHeight(height: number): void {
  localStorage.setItem(KEY, String(height));
}
