/** Names of the API in two steps, `customer.created`: written as what happens by what it happens to. */

/** What happens, its words with blanks between them, by what it happens to. */
type Happenings = Record<string, string>;

/** The names by what they are about. */
export function groupsOf(
  happenings: Happenings,
): readonly (readonly [about: string, names: readonly string[]])[] {
  return Object.entries(happenings).map(([about, words]) => [
    about,
    words.split(" ").map((word) => `${about}.${word}`),
  ]);
}

/** All the names. */
export function namesOf(happenings: Happenings): readonly string[] {
  return groupsOf(happenings).flatMap(([, names]) => names);
}
