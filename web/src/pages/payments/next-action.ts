/** What a customer has to do before a payment is made, as their provider says it (wallets-and-payments §10). */

/** Where providers lead the customer afterwards: no page on which anything is to be done. */
const AFTERWARDS = new Set(["return_url", "returnUrl"]);

/** The first address that a provider leads the customer to, however deep it stands. */
export function pageOf(action: unknown): string | null {
  if (typeof action === "string") return /^https?:\/\//.test(action) ? action : null;
  if (action === null || typeof action !== "object") return null;
  for (const [name, part] of Object.entries(action)) {
    const found = AFTERWARDS.has(name) ? null : pageOf(part);
    if (found) return found;
  }
  return null;
}

/** What it is called: Stripe's `verify_with_microdeposits` is "Verify with microdeposits". */
export function actionWords(action: Record<string, unknown>): string | null {
  if (Object.keys(action).length === 0) return null;
  const { type } = action;
  if (
    typeof type !== "string" ||
    type === "use_stripe_sdk" ||
    type === "redirect_to_url" ||
    type === "redirect"
  ) {
    return "The customer has to confirm it";
  }
  const words = type.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
