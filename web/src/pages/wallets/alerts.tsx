import { useQuery } from "@tanstack/react-query";
import { read, type Schema, useChange, WHOLE } from "@/api/client";
import { withoutOne } from "@/api/foresight";
import { useCan } from "@/app/session";
import { Alerts, type Watched } from "@/pages/alerts/alerts";
import type { Wallet } from "@/pages/customers/customer";

const TYPES: Record<string, string> = {
  wallet_balance_amount: "Balance",
  wallet_credits_balance: "Balance in credits",
  wallet_ongoing_balance_amount: "Balance with the current usage",
  wallet_credits_ongoing_balance: "Balance with the current usage, in credits",
};

/** What one is told of while a balance falls. */
export function WalletAlerts({ wallet }: { wallet: Wallet }) {
  const can = useCan();
  return (
    <Alerts
      watched={useWatched(wallet)}
      types={TYPES}
      currency={wallet.currency}
      mayChange={can("wallets:update") && wallet.status === "active"}
      isFalling
      about="An alert sends a webhook as soon as the balance falls to one of its thresholds."
    />
  );
}

const LIST = "/api/v1/customers/{external_id}/wallets/{wallet_code}/alerts";
const ONE = "/api/v1/customers/{external_id}/wallets/{wallet_code}/alerts/{code}";

function useWatched(wallet: Wallet): Watched {
  const path = { external_id: wallet.external_customer_id, wallet_code: wallet.code };
  const alerts = useQuery(read(LIST, { params: { path, query: WHOLE } }));
  const saved = { done: "Alert saved", isQuiet: true, touches: [LIST] };
  const create = useChange("post", LIST, saved);
  const update = useChange("put", ONE, saved);
  const remove = useChange("delete", ONE, {
    done: "Alert deleted",
    touches: [LIST],
    foresees: withoutOne(
      LIST,
      "alerts",
      (one: Schema<"AlertOutput">, { params }) =>
        one.lago_wallet_id === wallet.lago_id && one.code === params.path.code,
    ),
  });
  return {
    alerts,
    create: (alert, settled) => create.mutate({ params: { path }, body: { alert } } as never, settled),
    update: (code, alert, settled) =>
      update.mutate({ params: { path: { ...path, code } }, body: { alert } } as never, settled),
    remove: (code) => remove.mutate({ params: { path: { ...path, code } } }),
    isBusy: create.isPending || update.isPending,
  };
}
