/** By what rules a wallet is topped up: those that are in force. */
import type { Schema } from "@/api/client";
import { units } from "@/lib/money";
import type { Wallet } from "@/pages/customers/customer";
import { ruleWords } from "@/pages/customers/wallets";
import { PaidBy } from "@/pages/payment-providers/method-field";
import { Day } from "@/ui/amounts";
import { Copy, Facts, Section } from "@/ui/basics";
import { Empty } from "@/ui/states";

type Rule = Schema<"RuleOutput">;

export function Rules({ wallet, zone }: { wallet: Wallet; zone: string }) {
  const rules = wallet.recurring_transaction_rules.filter((one) => one.status === "active");
  if (rules.length === 0) {
    return <Empty title="No rule">A rule tops the wallet up by the calendar, or when it runs low.</Empty>;
  }
  return (
    <div className="tab-body">
      {rules.map((rule) => (
        <Section key={rule.lago_id} title={ruleWords(rule)}>
          <Terms rule={rule} customer={wallet.external_customer_id} zone={zone} />
        </Section>
      ))}
    </div>
  );
}

function Terms({ rule, customer, zone }: { rule: Rule; customer: string; zone: string }) {
  const notes = rule.transaction_metadata as { key: string; value: string }[];
  const isTarget = rule.method === "target";
  const credits = (count: string) => Number(count) !== 0 && units(count);
  return (
    <Facts
      facts={[
        ["When", rule.trigger === "threshold" ? "The balance falls below a threshold" : "By the calendar"],
        ["Counts from", rule.started_at && <Day value={rule.started_at} zone={zone} />],
        ["Ends", rule.expiration_at ? <Day key="end" value={rule.expiration_at} zone={zone} /> : "No end"],
        ["What is missing", isTarget && (rule.grants_target_top_up ? "Is given for free" : "Is bought")],
        ["Credits to be paid", !isTarget && credits(rule.paid_credits)],
        ["Free credits", !isTarget && credits(rule.granted_credits)],
        ["Limits of purchases", rule.ignore_paid_top_up_limits ? "Do not count" : "Count"],
        ["Invoices", rule.invoice_requires_successful_payment ? "Issued when paid" : "Issued at once"],
        ["Paid by", <PaidBy key="paid" by={rule.payment_method} customer={customer} />],
        ["Name of each top-up", rule.transaction_name],
        ["PO number", rule.purchase_order_number],
        ...notes.map(({ key, value }): [string, string] => [key, value]),
        ["Tallymark ID", <Copy key="id" text={rule.lago_id} what="ID" />],
      ]}
    />
  );
}
