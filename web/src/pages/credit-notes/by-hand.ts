/** Whether a refund is a person's to pay back, which follows from how the money came (wallets-and-payments §14). */
import type { Schema } from "@/api/client";
import { findProvider, providerName } from "@/pages/payment-providers/kinds";

type Came = Pick<Schema<"PaymentOutput">, "payment_status" | "payment_provider_type" | "created_at">;

/** Why it is, in words; null where the latest payment came by a provider that pays back, and is being asked. */
export function byHand(payments: readonly Came[]): string | null {
  const [latest] = payments
    .filter((one) => one.payment_status === "succeeded")
    .sort((one, other) => other.created_at.localeCompare(one.created_at));
  const kind = latest?.payment_provider_type;
  if (!kind)
    return "No payment provider brought the money, so that none is asked to pay it back. Do that by hand, and mark it here.";
  if (findProvider(kind)?.paysBack) return null;
  return `${providerName(kind)} is not asked to pay it back. Do that there or in another way, and mark it here.`;
}
