/** Why money is given back, as the wire names it and as people do. */
export const REASONS = [
  { value: "duplicated_charge", label: "Charged twice" },
  { value: "product_unsatisfactory", label: "Product was unsatisfactory" },
  { value: "order_change", label: "Order changed" },
  { value: "order_cancellation", label: "Order canceled" },
  { value: "fraudulent_charge", label: "Fraudulent charge" },
  { value: "other", label: "Other" },
] as const;

export type Reason = (typeof REASONS)[number]["value"];

export function reasonWord(reason: string): string {
  return REASONS.find((one) => one.value === reason)?.label ?? reason.replaceAll("_", " ");
}
