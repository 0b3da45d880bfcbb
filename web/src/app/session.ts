/** Who has signed in, where they belong, and what they may do there. */
import { type QueryClient, queryOptions, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { client, type Schema } from "@/api/client";
import { ApiError, type Refusal } from "@/api/errors";
import { lastOrganization } from "./last-organization";

export type User = Schema<"CurrentUserOutput">;
export type Membership = Schema<"OwnMembershipOutput">;

/** The session; it belongs to no organization, so entering another one keeps it. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async () => {
    const { data, error, response } = await client.GET("/app/v1/session");
    if (!data) throw new ApiError(response.status, error as unknown as Refusal);
    return data;
  },
  staleTime: 5 * 60_000,
  retry: false,
});

/** Take over the session that the server put into the page, so that it need not be asked for. */
export function adoptSession(queries: QueryClient): void {
  const told = document.getElementById("session");
  if (!told) return;
  queries.setQueryData(sessionQuery.queryKey, JSON.parse(told.textContent));
  told.remove();
}

/** The user, or null where nobody has signed in. */
export async function findUser(queries: QueryClient): Promise<User | null> {
  try {
    return (await queries.ensureQueryData(sessionQuery)).user;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

/** The organization that was entered last in this browser, else the first that is open to how the user signed in. */
export function openedLast({ memberships }: User): Membership | undefined {
  const open = memberships.filter((one) => one.organization.is_accessible);
  const last = lastOrganization();
  return open.find((one) => one.organization.slug === last) ?? open[0];
}

export function useUser(): User {
  return useSuspenseQuery(sessionQuery).data.user;
}

/** The membership of the organization whose pages are shown. */
export function useMembership(): Membership {
  const { org } = useParams({ strict: false }) as { org?: string };
  const found = useUser().memberships.find((one) => one.organization.slug === org);
  if (!found) throw new Error("the pages of an organization are shown to its members");
  return found;
}

/** The organization whose pages are shown. */
export function useOrganization(): Membership["organization"] {
  return useMembership().organization;
}

/** Whether the member may do something: `can("plans:create")`, any one of several. What they may not is not shown. */
export function useCan(): (...permissions: string[]) => boolean {
  const held = new Set(useMembership().permissions);
  return (...permissions) => permissions.some((one) => held.has(one));
}

/** What of the developers' area shows that there is one. */
export const OF_DEVELOPERS = ["developers:manage", "developers:keys:manage"];

/** The organization's now: its clock where it has one, else the real time. In milliseconds. */
export function useNow(): number {
  const { test_clock } = useOrganization();
  return test_clock ? Date.parse(test_clock) : Date.now();
}

/** Sign out, and forget everything that was shown. */
export function useSignOut(): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    await client.DELETE("/app/v1/session");
    queries.clear();
    location.assign("/sign-in");
  };
}
