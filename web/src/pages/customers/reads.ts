/** What the pages of a customer read. Asked for at once by the frame, so that it travels as one request. */
import { useQuery } from "@tanstack/react-query";
import { read, WHOLE } from "@/api/client";
import { timelineOf } from "@/app/timeline";
import { plansRead } from "@/pages/plans/reads";

export function useCustomer(id: string) {
  return useQuery(read("/api/v1/customers/{external_id}", { params: { path: { external_id: id } } }));
}

export function useCustomerReads(id: string) {
  const path = { external_customer_id: id };
  const unpaid = {
    "statuses[]": ["finalized"],
    "payment_statuses[]": ["pending", "failed"],
    ...WHOLE,
  };
  return {
    customer: useCustomer(id),
    subscriptions: useSubscriptionsOf(id),
    invoices: useQuery(
      read("/api/v1/customers/{external_customer_id}/invoices", {
        params: { path, query: { per_page: "5" } },
      }),
    ),
    unpaid: useQuery(
      read("/api/v1/customers/{external_customer_id}/invoices", { params: { path, query: unpaid as never } }),
    ),
    payments: useQuery(
      read("/api/v1/customers/{external_customer_id}/payments", {
        params: { path, query: { per_page: "1" } },
      }),
    ),
    creditNotes: useQuery(
      read("/api/v1/customers/{external_customer_id}/credit_notes", {
        params: { path, query: { per_page: "1" } },
      }),
    ),
    wallets: useWalletsOf(id),
    coupons: useAppliedCoupons(id),
    revenue: useQuery(
      read("/api/v1/analytics/gross_revenue", { params: { query: { external_customer_id: id } } }),
    ),
    plans: usePlans(),
    entities: useEntities(),
    dunning: useQuery(
      read("/app/v1/customers/{external_id}/dunning", { params: { path: { external_id: id } } }),
    ),
    timeline: useQuery(timelineOf({ external_customer_id: id }, 6)),
  };
}

export type CustomerReads = ReturnType<typeof useCustomerReads>;

export function useSubscriptionsOf(id: string) {
  const query = {
    "status[]": ["active", "pending", "incomplete", "canceled", "terminated"],
    ...WHOLE,
  };
  return useQuery(
    read("/api/v1/customers/{external_customer_id}/subscriptions", {
      params: { path: { external_customer_id: id }, query },
    }),
  );
}

export function useWalletsOf(id: string) {
  return useQuery(
    read("/api/v1/customers/{external_id}/wallets", {
      params: { path: { external_id: id }, query: WHOLE },
    }),
  );
}

export function useAppliedCoupons(id: string) {
  return useQuery(
    read("/api/v1/customers/{external_id}/applied_coupons", {
      params: { path: { external_id: id }, query: WHOLE },
    }),
  );
}

export function usePlans() {
  return useQuery(plansRead());
}

export function useEntities() {
  return useQuery(read("/api/v1/billing_entities"));
}

/** The usage of a subscription's current period, before tax, with where it is going. */
export function projectedUsage(customer: string, subscription: string) {
  return read("/api/v1/customers/{external_customer_id}/projected_usage", {
    params: {
      path: { external_customer_id: customer },
      query: { external_subscription_id: subscription, apply_taxes: "false" },
    },
  });
}

/** How each amount of a subscription's current period comes to be. */
export function usageExplanations(customer: string, subscription: string) {
  return read("/api/v1/customers/{external_customer_id}/current_usage/explanation", {
    params: {
      path: { external_customer_id: customer },
      query: { external_subscription_id: subscription },
    },
  });
}
