/** What a change shows before the server has answered: drawn at once, taken back where it is refused. Never what moves money. */
import type { QueryClient, QueryKey } from "@tanstack/react-query";

/** How reads look once a change is done. */
export interface Foresight<Sent> {
  /** Whose reads are drawn anew. */
  path: string;
  /** A read as it is after what has been sent; the same object where it stays as it is. */
  draw: (shown: unknown, sent: Sent) => unknown;
}

/** Takes back what has been drawn, except where something newer has come since. */
export type TakeBack = () => void;

/** Draw what is foreseen of an organization; what is being read just now would be the state before, and is let go. */
export async function foresee<Sent>(
  queries: QueryClient,
  organization: string | null,
  { path, draw }: Foresight<Sent>,
  sent: Sent,
): Promise<TakeBack> {
  const concerned = {
    predicate: ({ queryKey, state }: { queryKey: QueryKey; state: { data: unknown } }) =>
      queryKey[0] === path && queryKey[1] === organization && state.data !== undefined,
  };
  await queries.cancelQueries(concerned);
  const drawn = queries.getQueriesData(concerned).map(([key, before]) => {
    return { key, before, after: queries.setQueryData(key, draw(before, sent)) };
  });
  return () => {
    for (const { key, before, after } of drawn) {
      if (queries.getQueryData(key) === after) queries.setQueryData(key, before);
    }
  };
}

type Page<Name extends string, One> = Record<Name, One[]> & { meta?: { total_count: number } };

/** Of deletions: lists without the one that goes. */
export function withoutOne<One, Sent = unknown>(
  path: string,
  name: string,
  isIt: (one: One, sent: Sent) => boolean,
): Foresight<Sent> {
  return {
    path,
    draw: (shown, sent) => {
      const page = shown as Page<string, One>;
      const left = page[name]!.filter((one) => !isIt(one, sent));
      const gone = page[name]!.length - left.length;
      if (gone === 0) return page;
      const meta = page.meta && { ...page.meta, total_count: page.meta.total_count - gone };
      return { ...page, [name]: left, ...(meta && { meta }) };
    },
  };
}
