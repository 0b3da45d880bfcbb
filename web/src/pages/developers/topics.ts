import { groupsOf, namesOf } from "./names";

/** Types of webhooks by what they are about; those that only a provider's adapter sends are left out. */
const TOPICS: Record<string, string> = {
  alert: "triggered",
  billable_metric: "created updated deleted",
  customer: "created updated vies_check",
  credit_note: "created generated",
  event: "error",
  events: "errors",
  feature: "created updated deleted",
  fee: "created",
  invoice:
    "created one_off_created paid_credit_added add_on_added drafted ready_to_finalize generated voided deleted resynced payment_status_updated payment_overdue payment_dispute_lost payment_failure",
  payment_receipt: "created generated",
  payment_request: "created payment_status_updated",
  plan: "created updated deleted",
  subscription:
    "started updated canceled incomplete terminated termination_alert trial_ended usage_threshold_reached",
  wallet: "created updated terminated depleted_ongoing_balance",
  wallet_transaction: "created updated payment_failure",
};

export const TYPES = groupsOf(TOPICS);

export const EVERY_TYPE: readonly string[] = namesOf(TOPICS);
