/** Searching lists that the API does not search itself (platform §1.6): all of such a list is read, and looked through here. */
import type { Schema } from "@/api/client";
import type { ListState } from "@/ui/list";

/** So many are looked through; catalogs are far smaller. */
const ALL = 1000;

type Shown = Pick<ListState, "term" | "page" | "per_page">;
type Named = { name: string; code: string };

/** What to ask for: the page, or everything where a text is looked for. */
export function pageOrAll({ term, page, per_page }: Shown): never {
  return (term ? { page: 1, per_page: ALL } : { page, per_page }) as never;
}

/** The page of what has the text in its name or code, whatever its case; without a text, what came. */
export function searched<Key extends string, Row extends Named>(
  answer: Record<Key, Row[]> & { meta: Schema<"Meta"> },
  key: Key,
  { term, page, per_page }: Shown,
): { rows: Row[]; meta: Schema<"Meta"> } {
  if (!term) return { rows: answer[key], meta: answer.meta };
  const looked = term.toLowerCase();
  const found = answer[key].filter((row) =>
    [row.name, row.code].some((text) => text.toLowerCase().includes(looked)),
  );
  const meta = {
    current_page: page,
    prev_page: page > 1 ? page - 1 : null,
    next_page: page * per_page < found.length ? page + 1 : null,
    total_pages: Math.ceil(found.length / per_page),
    total_count: found.length,
  };
  return { rows: found.slice((page - 1) * per_page, page * per_page), meta };
}
