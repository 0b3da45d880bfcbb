/** What the security log tells: what is noted at all, and of an entry what it is about and what was changed. */
import { namesOf } from "./names";

/** Events by what they are about, as the API names them. */
const EVENTS: Record<string, string> = {
  api_key: "created deleted rotated updated",
  billing_entity: "created updated",
  export: "created",
  integration: "created deleted updated",
  organization: "updated",
  role: "created deleted updated",
  user: "deleted new_device_logged_in invited password_edited password_reset_requested role_edited signed_up invite_revoked",
  webhook_endpoint: "created deleted updated",
};

export const SECURITY_EVENTS: readonly string[] = namesOf(EVENTS);

/** What events are about, in words. */
export const SECURITY_TYPES: Record<string, string> = {
  api_key: "API keys",
  billing_entity: "Billing entities",
  export: "Exports",
  integration: "Ways to sign in",
  organization: "Organization",
  role: "Roles",
  user: "Members",
  webhook_endpoint: "Webhook endpoints",
};

/** By what things are known, the best first. */
const NAMES = ["name", "email", "billing_entity_code", "webhook_url", "code"];

interface Told {
  /** What it is about, in a word or two; null where it does not say. */
  name: string | null;
  /** What it says without having changed it. */
  about: Record<string, unknown>;
  /** [before, after] by field. */
  changes: Record<string, [unknown, unknown]>;
}

/** An entry's resources: what was another is told as `{deleted, added}`, the rest says what it was about. */
export function readResources(resources: Record<string, unknown>): Told {
  const about: Told["about"] = {};
  const changes: Told["changes"] = {};
  for (const [field, value] of Object.entries(resources)) {
    if (isChange(value)) changes[field] = [value.deleted, value.added];
    else about[field] = value;
  }
  const named = NAMES.map((one) => about[one] ?? changes[one]?.[0]).find((one) => typeof one === "string");
  return { name: typeof named === "string" ? named : null, about, changes };
}

function isChange(value: unknown): value is { deleted: unknown; added: unknown } {
  return typeof value === "object" && value !== null && "deleted" in value && "added" in value;
}
