/** How invoices of a subscription are paid. */
export type PaidBy = "provider" | "manual";

export const PAID: readonly { value: PaidBy; label: string }[] = [
  { value: "provider", label: "By the customer’s payment provider, where there is one" },
  { value: "manual", label: "By hand: nothing is collected" },
];
