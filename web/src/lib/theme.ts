/** Light or dark: as the system says until somebody chooses. `public/theme.js` sets it before the first paint. */

const KEY = "tallymark.theme";

export function toggleTheme(): void {
  const root = document.documentElement;
  const next = root.dataset.theme === "dark" ? "light" : "dark";
  root.dataset.theme = next;
  localStorage.setItem(KEY, next);
}
