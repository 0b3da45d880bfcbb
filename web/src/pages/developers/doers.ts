/** Who did what logs tell of: a member, or an API key by its name, one that has ended, too. */
import { useQuery } from "@tanstack/react-query";
import { read, type Schema, WHOLE } from "@/api/client";
import { useCan, useNow } from "@/app/session";
import { keyWords } from "@/lib/words";
import type { Filter } from "@/ui/list";

interface Done {
  user_email: string | null;
  api_key: Schema<"LoggedKeyOutput"> | null;
}

/** Who did what an entry tells of; undefined where it was nobody of these. */
export function doerOf({ user_email, api_key }: Done): string | undefined {
  return user_email ?? (api_key ? `API: ${keyWords(api_key)}` : undefined);
}

/** By the key that was used, where the member may see keys. */
export function useKeyFilter(): Filter[] {
  const can = useCan();
  const now = useNow();
  const keys = useQuery({
    ...read("/app/v1/api_keys", { params: { query: { with_ended: true } } }),
    enabled: can("developers:keys:manage"),
  });
  if (!keys.data) return [];
  const options = keys.data.api_keys.map((key) => {
    const hasEnded = key.expires_at !== null && Date.parse(key.expires_at) <= now;
    return { value: key.lago_id, label: `${keyWords(key)}${hasEnded ? " (ended)" : ""}` };
  });
  return [{ key: "api_key_ids[]", label: "API key", options }];
}

/** By who did it: those who are members are suggested, others may be named. */
export function useMemberFilter(): Filter {
  const can = useCan();
  const members = useQuery({
    ...read("/app/v1/members", { params: { query: WHOLE } }),
    enabled: can("organization:members:view"),
  });
  return {
    key: "user_emails[]",
    label: "Member",
    suggestions: members.data?.members.map(({ email }) => email) ?? [],
  };
}
