/** Figures in running text. */

/** A number with its noun: "1 plan", "1,204 plans". */
export function countWords(number: number, noun: string): string {
  return `${number.toLocaleString()} ${noun}${number === 1 ? "" : "s"}`;
}
