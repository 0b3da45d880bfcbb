/** Which organization was entered last in this browser: `/` leads there. */
const KEY = "tallymark.organization";

export function rememberOrganization(slug: string): void {
  try {
    localStorage.setItem(KEY, slug);
  } catch {
    // A browser that keeps nothing leads to the first one.
  }
}

export function lastOrganization(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
