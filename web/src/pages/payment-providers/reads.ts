/** The connections of the organization, and customers' payment methods, as pages read them. */
import { useQuery } from "@tanstack/react-query";
import { read, type Schema } from "@/api/client";
import { useCan } from "@/app/session";

/** All connections; nobody who may see neither them nor customers asks. */
export function useConnections() {
  const can = useCan();
  return useQuery({
    ...read("/app/v1/payment_providers"),
    enabled: can("organization:integrations:view", "customers:view"),
  });
}

export type PaymentMethod = Schema<"PaymentMethodOutput">;

/** A customer's methods, for whom may see them; nothing is asked as long as no customer is chosen. */
export function usePaymentMethods(customer: string) {
  const can = useCan();
  return useQuery({
    ...read("/api/v1/customers/{external_id}/payment_methods", {
      params: { path: { external_id: customer }, query: { per_page: "100" } },
    }),
    enabled: customer !== "" && can("payment_methods:view"),
    placeholderData: undefined,
  });
}
