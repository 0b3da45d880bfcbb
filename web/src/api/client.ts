/** The typed client of the server's own OpenAPI description, and the queries and changes made with it. */
import {
  keepPreviousData,
  type QueryClient,
  queryOptions,
  type UseMutationResult,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import createClient, { type FetchResponse, type MaybeOptionalInit } from "openapi-fetch";
import type { HttpMethod, PathsWithMethod } from "openapi-typescript-helpers";
import type { components, paths } from "#schema";
import { notify } from "@/ui/toasts";
import { gatheringFetch } from "./batch";
import { ApiError, explain, type Refusal } from "./errors";
import { type Foresight, foresee, type TakeBack } from "./foresight";

/** A schema of the description: `Schema<"CustomerOutput">`. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

let organization: string | null = null;

/** Enter an organization (slug): what is asked for from now on is asked of it. */
export function enterOrganization(slug: string | null): void {
  organization = slug;
}

/** The slug of the organization that has been entered. */
export function currentOrganization(): string | null {
  return organization;
}

let leave: (() => void) | null = null;

/** What is done once the session of somebody who is inside is over. */
export function whenSessionEnds(act: () => void): void {
  leave = act;
}

export const client = createClient<paths>({ baseUrl: location.origin, fetch: gatheringFetch() });

client.use({
  onRequest({ request }) {
    if (organization && !request.headers.has("x-lago-organization")) {
      request.headers.set("x-lago-organization", organization);
    }
    return request;
  },
});

/** Where 401 may be a payment provider's answer to the organization's key, after which the session lasts (wallets-and-payments §12.2). */
const ANSWERED_BY_PROVIDERS = "/api/v1/customers/{external_id}/checkout_url";

type Init<Path extends keyof paths, Method extends HttpMethod> = Method extends keyof paths[Path]
  ? MaybeOptionalInit<paths[Path], Method>
  : never;

type Answer<Path extends keyof paths, Method extends HttpMethod> = Method extends keyof paths[Path]
  ? paths[Path][Method] extends Record<string | number, unknown>
    ? NonNullable<FetchResponse<paths[Path][Method], object, `application/json`>["data"]>
    : never
  : never;

type Rest<T> = undefined extends T ? [init?: T] : [init: T];

type Call = (
  path: string,
  init?: unknown,
) => Promise<{ data?: unknown; error?: unknown; response: Response }>;

async function call(method: HttpMethod, path: string, init: unknown): Promise<unknown> {
  const send = (client as unknown as Record<string, Call>)[method.toUpperCase()]!;
  const { data, error, response } = await send(path, init);
  if (response.status === 401 && organization && path !== ANSWERED_BY_PROVIDERS) leave?.();
  if (!response.ok) throw new ApiError(response.status, (error ?? { status: response.status }) as Refusal);
  return data ?? null; // an answer without a body is an answer
}

/** The query of what is read whole: to be chosen from, to be added up, or to be shown without pages. */
export const WHOLE = { per_page: "1000" } as const;

/** A read, for `useQuery`, `useSuspenseQuery` and route loaders. Keeps showing the page before while the next one comes. */
export function read<Path extends PathsWithMethod<paths, "get">>(
  path: Path,
  ...[init]: Rest<Init<Path, "get">>
) {
  return queryOptions({
    queryKey: [
      path as string,
      organization,
      (init as { params?: unknown } | undefined)?.params ?? null,
    ] as const,
    queryFn: async ({ signal }) =>
      (await call("get", path as string, { ...(init as object | undefined), signal })) as Answer<Path, "get">,
    placeholderData: keepPreviousData,
  });
}

/** A question that changes nothing, though it is asked by POST: a price, a preview. Keeps the answer before while the next one comes. */
export function ask<Path extends PathsWithMethod<paths, "post">>(path: Path, init: Init<Path, "post">) {
  return queryOptions({
    queryKey: [path as string, organization, (init as { body?: unknown } | undefined)?.body ?? null] as const,
    queryFn: async ({ signal }) =>
      (await call("post", path as string, { ...(init as object | undefined), signal })) as Answer<
        Path,
        "post"
      >,
    placeholderData: keepPreviousData,
    retry: false,
  });
}

type Method = "post" | "put" | "delete" | "patch";

interface Change<Result, Sent> {
  /** What is said when it is done: "Customer created". */
  done?: string | ((result: Result) => string);
  /** Paths whose reads are out of date now; every read when it is left out. */
  touches?: string[];
  /** It goes on after the answer: somebody else is asked, and has answered a little later. */
  isSlow?: boolean;
  /** Errors are shown by the form itself. */
  isQuiet?: boolean;
  /** What is shown before the server has answered. Nothing that moves money. */
  foresees?: Foresight<Sent>;
  onDone?: (result: Result) => void;
}

/** A change: refreshes what it touches, and ends in exactly one thing that is seen: a toast, or what the form shows. */
export function useChange<M extends Method, Path extends PathsWithMethod<paths, M>>(
  method: M,
  path: Path,
  change: Change<Answer<Path, M>, Init<Path, M>> = {},
): UseMutationResult<Answer<Path, M>, Error, Init<Path, M>, TakeBack | undefined> {
  const queries = useQueryClient();
  const mutationKey = [method, path, organization];
  const refreshed = async () => {
    // Others of its kind that are on their way are not known to the server yet: the last of them refreshes.
    if (change.foresees && queries.isMutating({ mutationKey }) > 1) return;
    await refresh(queries, change.touches);
    if (change.isSlow) refreshLater(queries, change.touches);
  };
  return useMutation<Answer<Path, M>, Error, Init<Path, M>, TakeBack | undefined>({
    mutationKey,
    mutationFn: async (init) => (await call(method, path as string, init)) as Answer<Path, M>,
    onMutate: async (init) =>
      change.foresees && (await foresee(queries, organization, change.foresees, init)),
    onSuccess: async (result) => {
      await refreshed();
      const { done } = change;
      if (done) notify.done(typeof done === "function" ? done(result) : done);
      change.onDone?.(result);
    },
    onError: (error, _, takeBack) => {
      takeBack?.();
      if (!change.isQuiet) notify.failed(explain(error));
      if (takeBack) void refreshed();
    },
  });
}

/** Make reads of these paths (and what is below them) fetch again; all of them by default. */
/** Look again in a moment, and once more: at what goes on after an answer. */
export function refreshLater(queries: QueryClient, touches?: string[]): void {
  for (const wait of [1_500, 5_000, 15_000]) setTimeout(() => void refresh(queries, touches), wait);
}

export async function refresh(queries: QueryClient, touches?: string[]): Promise<void> {
  if (!touches) {
    await queries.invalidateQueries();
    return;
  }
  await queries.invalidateQueries({
    predicate: ({ queryKey }) => touches.some((path) => String(queryKey[0]).startsWith(path)),
  });
}
