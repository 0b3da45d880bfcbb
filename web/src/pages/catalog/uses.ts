/** How much what a list shows is used. */
import { useQuery } from "@tanstack/react-query";
import { ask } from "@/api/client";
import { useCan } from "@/app/session";

type Kind = "plans" | "features" | "add_ons" | "coupons";

/**
 * How many subscriptions run with each of some plans or features, or how many customers have or had add-ons or have coupons;
 * undefined until known.
 */
export function useUses(kind: Kind, codes: readonly string[]): (code: string) => number | undefined {
  const can = useCan();
  const uses = useQuery({
    ...ask(`/app/v1/uses/${kind}`, { body: { codes: [...codes] } }),
    enabled: codes.length > 0 && can(kind === "coupons" ? "coupons:view" : "subscriptions:view"),
  });
  const counts = new Map(uses.data?.uses.map(({ code, count }) => [code, count]));
  return (code) => counts.get(code);
}
