/** A customer's link to a payment provider: how the form holds it, and how it is read from and written to the wire (subscriptions §1.5). */
import type { Schema } from "@/api/client";
import type { Customer } from "./customer";

export interface LinkForm {
  /** A connection, as `connectionKey` names it, or `NONE`. */
  payment_provider: string;
  links_by: "create" | "id";
  provider_customer_id: string;
  /** What may be paid by at Stripe. */
  provider_payment_methods: string[];
}

/** Selects need a value of what is none. */
export const NONE = "none";

export const UNLINKED: LinkForm = {
  payment_provider: NONE,
  links_by: "create",
  provider_customer_id: "",
  provider_payment_methods: ["card"],
};

/** A connection in one word: its code is an organization's own, its kind goes with it on the wire. */
export function connectionKey({ kind, code }: { kind: string; code: string | null | undefined }): string {
  return `${kind}:${code ?? ""}`;
}

export function kindOf(key: string): string {
  return key.split(":")[0] ?? "";
}

type Configuration = Customer["billing_configuration"];

export function readLink(saved: Configuration): LinkForm {
  const { payment_provider: kind, payment_provider_code: code, provider_payment_methods: methods } = saved;
  if (!kind) return UNLINKED;
  return {
    payment_provider: connectionKey({ kind, code }),
    links_by: saved.sync_with_provider && !saved.provider_customer_id ? "create" : "id",
    provider_customer_id: saved.provider_customer_id ?? "",
    provider_payment_methods: methods && methods.length > 0 ? methods : UNLINKED.provider_payment_methods,
  };
}

/** What the form holds once another account is chosen: who a customer is at one says nothing of who they are at the next. */
export function moveLink(form: LinkForm, account: string, before: LinkForm): LinkForm {
  const { links_by, provider_customer_id } = account === before.payment_provider ? before : UNLINKED;
  return { ...form, payment_provider: account, links_by, provider_customer_id };
}

/** What has to be sent, or nothing where the link stays as it is; without a provider it is taken away. */
export function writeLink(
  form: LinkForm,
  before: LinkForm,
): Schema<"CustomerFields">["billing_configuration"] | undefined {
  const names = Object.keys(UNLINKED) as (keyof LinkForm)[];
  if (names.every((name) => JSON.stringify(form[name]) === JSON.stringify(before[name]))) return undefined;
  if (form.payment_provider === NONE) {
    return before.payment_provider === NONE ? undefined : { payment_provider: null };
  }
  const kind = kindOf(form.payment_provider);
  const id = form.provider_customer_id.trim();
  return {
    payment_provider: kind,
    payment_provider_code: form.payment_provider.slice(kind.length + 1) || null,
    ...(form.links_by === "create" ? { sync_with_provider: true } : { provider_customer_id: id }),
    ...(kind === "stripe" && { provider_payment_methods: form.provider_payment_methods }),
  };
}

/** How a customer stands with their provider: linked, about to be, or only said to pay by it. */
export type Standing = "linked" | "waiting" | "pages" | "unlinked";

export function standingOf(saved: Configuration, savesMethods: boolean | undefined): Standing {
  if (saved.provider_customer_id) return "linked";
  if (savesMethods === false) return "pages";
  return saved.sync_with_provider ? "waiting" : "unlinked";
}
