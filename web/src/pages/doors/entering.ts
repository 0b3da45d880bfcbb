import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { doors } from "@/app/paths";
import { sessionQuery, type User } from "@/app/session";

/** After somebody has come in: to where they wanted to go, else to the start. Only to pages of this site. */
export function useEntering(): (answer: { user: User }, back?: string) => Promise<void> {
  const queries = useQueryClient();
  const router = useRouter();
  return async (answer, back) => {
    queries.clear();
    queries.setQueryData(sessionQuery.queryKey, answer);
    await router.invalidate();
    await router.navigate({ href: isOwnPath(back) && isOpenTo(answer.user, back) ? back : "/" });
  };
}

/** Whether a path is of an organization that the user belongs to, or of nobody's. */
export function isOpenTo({ memberships }: Pick<User, "memberships">, path: string): boolean {
  const [first = ""] = path.slice(1).split(/[/?#]/);
  const named = memberships.some(({ organization: { slug, lago_id } }) => [slug, lago_id].includes(first));
  return named || path === doors.newOrganization();
}

/** Whether an address is a path of this site: no other host, no door. */
export function isOwnPath(path: string | undefined): path is string {
  return path !== undefined && /^\/(?![/\\])/.test(path) && !path.startsWith("/sign-in");
}
