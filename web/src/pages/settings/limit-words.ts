/** Limits in words. */
import type { Schema } from "@/api/client";

export const LABELS: Record<Schema<"Limit">, string> = {
  events_per_minute: "Events a minute",
  events_per_month: "Events this month (UTC)",
  members: "Members, with those who are invited",
  api_keys: "API keys",
  exports_under_way: "Exports under way",
};

/** Whether a tenth or less of a limit is left. */
export function isNearly(used: number, allowed: number): boolean {
  return used * 10 >= allowed * 9;
}
