/** The panel that proves usage not billed yet, of a customer or a subscription; which amount it proves is in the address. */
import { useQuery } from "@tanstack/react-query";
import { money } from "@/lib/money";
import { UsageWhy, WhyPanel } from "@/pages/invoices/why/panel";
import { useShown } from "@/ui/opened";
import { chargeName } from "./breakdown";
import { byCurrency, type Subscription } from "./customer";
import { useUsages } from "./overview";
import { projectedUsage, usageExplanations } from "./reads";
import {
  type Asked,
  isSumOfCharges,
  partName,
  proofOfParts,
  proofOfUsages,
  readWhy,
  sumOf,
  whyOf,
} from "./usage-proof";

/** The amount whose proof is open, whether it is one of usage, and the way to another. */
export function useWhy() {
  const [why, show] = useShown("why");
  return { why, isAsked: readWhy(why) !== null, show };
}

type Named = Pick<Subscription, "external_id" | "name" | "status">;

interface Props {
  customer: string;
  subscriptions: readonly Named[];
}

export function UsagePanel({ customer, subscriptions }: Props) {
  const asked = readWhy(useWhy().why);
  if (!asked) return null;
  const { charge, subscription } = asked;
  if (charge && subscription) {
    return <ChargePanel customer={customer} asked={{ ...asked, charge, subscription }} />;
  }
  const shown = subscription
    ? subscriptions.filter((one) => one.external_id === subscription)
    : subscriptions;
  return <TotalPanel customer={customer} subscriptions={shown} />;
}

function TotalPanel({ customer, subscriptions }: Props) {
  const { show } = useWhy();
  const { bySubscription, isLoading } = useUsages(customer, subscriptions);
  const names = new Map(subscriptions.map((one) => [one.external_id, one.name || one.external_id]));
  const used = [...bySubscription].map(([subscription, usage]) => ({
    subscription,
    name: names.get(subscription) ?? subscription,
    usage,
  }));
  const usages = used.map((one) => one.usage);
  const amounts = byCurrency(usages.map((one) => ({ cents: one.amount_cents, currency: one.currency })));
  return (
    <WhyPanel
      amount={amounts.map(([currency, cents]) => money(String(cents), currency)).join(", ")}
      name="Usage so far"
      proof={isLoading ? undefined : proofOfUsages(used)}
      isSame={isLoading ? undefined : isSumOfCharges(usages)}
      json={usages}
      onWhy={show}
      onClose={() => show(undefined)}
    />
  );
}

interface ChargeProps {
  customer: string;
  asked: Asked & { subscription: string; charge: string };
}

function ChargePanel({ customer, asked }: ChargeProps) {
  const { show } = useWhy();
  const { subscription, charge, part } = asked;
  // Both at once, so that a link to a proof adds nothing to the requests of the page.
  const explained = useQuery({ ...usageExplanations(customer, subscription), placeholderData: undefined });
  const usage = useQuery({ ...projectedUsage(customer, subscription), placeholderData: undefined });
  const found = usage.data?.customer_projected_usage.charges_usage.find(
    (one) => one.charge.lago_id === charge,
  );
  const parts = explained.data?.explanations.filter((one) => one.lago_charge_id === charge);
  const only = part !== undefined ? parts?.[part] : parts?.length === 1 ? parts[0] : undefined;
  const name = found ? chargeName(found) : "Usage";
  const close = () =>
    show(part === undefined ? undefined : whyOf({ charge: { lago_id: charge } }, subscription));
  if (only) {
    const label = part === undefined ? name : `${name}, ${partName(only)}`;
    return <UsageWhy key={`${charge} ${part}`} explanation={only} name={label} onClose={close} />;
  }
  return (
    <WhyPanel
      amount={found ? money(found.amount_cents, found.amount_currency) : "this amount"}
      name={name}
      proof={parts && proofOfParts(parts, subscription)}
      isSame={found && parts && sumOf(parts.map((one) => one.amount_cents)) === BigInt(found.amount_cents)}
      json={parts}
      error={explained.error ?? usage.error ?? undefined}
      onRetry={() => void explained.refetch()}
      onWhy={show}
      onClose={() => show(undefined)}
    />
  );
}
