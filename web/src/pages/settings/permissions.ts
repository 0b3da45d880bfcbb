/** Permissions by area: "organization:taxes:view" is `view` in `organization:taxes`. */
export function byArea(permissions: readonly string[]): [area: string, permissions: string[]][] {
  const areas = Object.groupBy(permissions, (one) => one.slice(0, one.lastIndexOf(":")));
  return Object.entries(areas)
    .map(([area, names]): [string, string[]] => [area, [...(names ?? [])].sort(byUse)])
    .sort(([one], [other]) => one.localeCompare(other));
}

const USES = ["view", "create", "update", "delete"];

function byUse(one: string, other: string): number {
  const place = (name: string) => {
    const at = USES.indexOf(name.slice(name.lastIndexOf(":") + 1));
    return at < 0 ? USES.length : at;
  };
  return place(one) - place(other) || one.localeCompare(other);
}

/** "organization:billing_entities" is "Organization, billing entities". */
export function wordsOf(name: string): string {
  const words = name.replaceAll(":", ", ").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
