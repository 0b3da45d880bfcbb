/** What an API key may do: modes by resource, as on the wire; a resource that is missing may nothing. */
export const MODES = ["read", "write"] as const;
export type Mode = (typeof MODES)[number];
export type Rights = Record<string, readonly Mode[]>;

/** The resources that have endpoints. */
export const RESOURCES: readonly string[] = [
  "activity_log",
  "add_on",
  "alert",
  "analytic",
  "api_log",
  "applied_coupon",
  "billable_metric",
  "billing_entity",
  "coupon",
  "credit_note",
  "customer",
  "customer_usage",
  "event",
  "feature",
  "fee",
  "invoice",
  "invoice_custom_section",
  "lifetime_usage",
  "organization",
  "payment",
  "payment_method",
  "payment_receipt",
  "payment_request",
  "plan",
  "security_log",
  "subscription",
  "tax",
  "wallet",
  "wallet_transaction",
  "webhook_endpoint",
  "webhook_jwt_public_key",
];
