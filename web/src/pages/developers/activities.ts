import { namesOf } from "./names";

/** What the activity log is filtered by, as the API names it; quotes and orders, which nobody makes yet, are left out. */
const ACTIVITIES: Record<string, string> = {
  add_on: "created updated deleted",
  alert: "created updated deleted",
  applied_coupon: "created deleted",
  billable_metric: "created updated deleted",
  billing_entities: "created updated deleted",
  coupon: "created updated deleted",
  credit_note: "created generated refund_failure updated voided",
  customer: "created updated deleted",
  dunning_campaign: "created updated deleted",
  email: "sent",
  feature: "created updated deleted",
  fee: "updated deleted",
  invoice:
    "drafted ready_to_finalize failed created one_off_created paid_credit_added generated payment_status_updated payment_overdue voided deleted regenerated payment_failure updated payment_dispute_lost",
  invoice_custom_section: "created updated deleted",
  organization: "updated",
  payment: "recorded",
  payment_receipt: "created generated",
  payment_request: "created",
  plan: "created updated deleted",
  pricing_unit: "created updated",
  subscription: "created started updated canceled incomplete terminated",
  tax: "created updated deleted",
  test_clock: "advanced",
  wallet: "created updated terminated",
  wallet_transaction: "created updated payment_failure",
};

export const ACTIVITY_TYPES: readonly string[] = namesOf(ACTIVITIES);

/** What entries are logged on, by its name on the wire. */
export const OBJECTS: Record<string, string> = {
  AddOn: "Add-on",
  Alert: "Alert",
  BillableMetric: "Billable metric",
  BillingEntity: "Billing entity",
  Coupon: "Coupon",
  CreditNote: "Credit note",
  Customer: "Customer",
  DunningCampaign: "Dunning campaign",
  "Entitlement::Feature": "Feature",
  Fee: "Fee",
  Invoice: "Invoice",
  InvoiceCustomSection: "Custom section",
  Organization: "Organization",
  PaymentReceipt: "Payment receipt",
  PaymentRequest: "Payment request",
  Plan: "Plan",
  PricingUnit: "Pricing unit",
  Subscription: "Subscription",
  Tax: "Tax",
  Wallet: "Wallet",
};
