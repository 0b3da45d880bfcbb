import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { CircleMinus, CircleX, Ellipsis, Pencil, Plus } from "lucide-react";
import { useState } from "react";
import { read, useChange } from "@/api/client";
import { explain } from "@/api/errors";
import { EntityName } from "@/app/entity-name";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { Timeline } from "@/app/timeline";
import { money, price, units } from "@/lib/money";
import { countWords } from "@/lib/words";
import { nameOf, type Wallet } from "@/pages/customers/customer";
import { useCustomer } from "@/pages/customers/reads";
import { Balance, usedWords } from "@/pages/customers/wallets";
import { PaidBy } from "@/pages/payment-providers/method-field";
import { usePaymentMethods } from "@/pages/payment-providers/reads";
import { Day, Moment, Money } from "@/ui/amounts";
import { Banner, Button, buttonClass, Copy, Facts, Section, Stat, Stats } from "@/ui/basics";
import { Field, NumberInput } from "@/ui/fields";
import { ActionMenu, Confirm, Dialog } from "@/ui/overlays";
import { Page, PageHead, Tabs } from "@/ui/page";
import { Loaded, Missing } from "@/ui/states";
import { Status } from "@/ui/status";
import { WalletAlerts } from "./alerts";
import { readCredits } from "./credits";
import { Rules } from "./rules";
import { Transactions } from "./transactions";
import "@/pages/customers/customers.css";
import { useOpenedOne } from "@/ui/opened";

export function useWallet(id: string) {
  return useQuery(read("/api/v1/wallets/{lago_id}", { params: { path: { lago_id: id } } }));
}

export function WalletPage() {
  const {
    customer: owner,
    id,
    tab,
  } = useParams({ strict: false }) as Record<"customer" | "id" | "tab", string>;
  const wallet = useWallet(id);
  const customer = useCustomer(owner).data?.customer;
  usePaymentMethods(owner); // with the wallet, so that it needs no request of its own
  const known = wallet.data?.wallet;
  return (
    <Page
      title={known ? known.name || known.code : "Wallet"}
      crumbs={[
        { label: "Customers", href: paths.customers.list() },
        { label: customer ? nameOf(customer) : owner, href: paths.customers.show(owner, "wallets") },
      ]}
    >
      <Loaded query={wallet} what="Wallet">
        {({ wallet: found }) => (
          <Details wallet={found} zone={customer?.applicable_timezone ?? "UTC"} tab={tab} />
        )}
      </Loaded>
    </Page>
  );
}

interface Props {
  wallet: Wallet;
  zone: string;
}

function Details({ wallet, zone, tab }: Props & { tab: string }) {
  const can = useCan();
  const at = (one: string) => paths.wallets.show(wallet.external_customer_id, wallet.lago_id, one);
  return (
    <>
      <PageHead
        title={wallet.name || wallet.code}
        status={<Status status={wallet.status} isTint />}
        sub={<Copy text={wallet.code} what="code" />}
        actions={<Actions wallet={wallet} />}
      />
      <Tabs
        label="Wallet"
        tabs={[
          { label: "Overview", href: at("overview") },
          { label: "Recurring top-ups", href: at("rules") },
          { label: "Transactions", href: at("transactions") },
          { label: "Alerts", href: at("alerts"), isShown: wallet.status === "active" },
          { label: "Activity", href: at("activity"), isShown: can("audit_logs:view") },
        ]}
      />
      {tab === "overview" ? (
        <Overview wallet={wallet} zone={zone} />
      ) : tab === "rules" ? (
        <Rules wallet={wallet} zone={zone} />
      ) : tab === "transactions" ? (
        <Transactions wallet={wallet} zone={zone} />
      ) : tab === "alerts" ? (
        <WalletAlerts wallet={wallet} />
      ) : tab === "activity" ? (
        <Timeline whose={{ resource_ids: [wallet.lago_id] }} zone={zone} />
      ) : (
        <Missing what="Page" />
      )}
    </>
  );
}

function Overview({ wallet, zone }: Props) {
  const { currency } = wallet;
  return (
    <div className="tab-body">
      <Stats>
        <Stat
          name="Balance"
          value={<Money cents={wallet.balance_cents} currency={currency} isZeroPlain />}
          detail={`${units(wallet.credits_balance)} credits, ${price(wallet.rate_amount, currency)} each`}
        />
        <Stat
          name="With the current usage"
          value={<Money cents={wallet.ongoing_balance_cents} currency={currency} isZeroPlain />}
          detail={
            wallet.last_balance_sync_at ? (
              <>
                refreshed <Moment value={wallet.last_balance_sync_at} zone={zone} />
              </>
            ) : (
              "not yet refreshed"
            )
          }
        />
        <Stat
          name="Consumed"
          value={<span className="num">{units(wallet.consumed_credits)}</span>}
          detail="credits"
        />
      </Stats>
      <div className="stack" style={{ marginTop: 18 }}>
        <Balance wallet={wallet} />
        <span className="small dim">{usedWords(wallet)}</span>
      </div>
      <Section title="Terms">
        <Facts
          facts={[
            ["Priority", String(wallet.priority)],
            ["Expires", <Day key="expires" value={wallet.expiration_at} zone={zone} />],
            ["Billed by", <EntityName key="entity" code={wallet.billing_entity_code} />],
            [
              "Pays",
              [...wallet.applies_to.fee_types, ...wallet.applies_to.billable_metric_codes]
                .map((one) => one.replaceAll("_", " "))
                .join(", ") || "Everything",
            ],
            [
              "Smallest purchase",
              wallet.paid_top_up_min_amount_cents !== null &&
                money(wallet.paid_top_up_min_amount_cents, currency),
            ],
            [
              "Largest purchase",
              wallet.paid_top_up_max_amount_cents !== null &&
                money(wallet.paid_top_up_max_amount_cents, currency),
            ],
            ["PO number", wallet.purchase_order_number],
            ["Invoices", wallet.invoice_requires_successful_payment ? "Issued when paid" : "Issued at once"],
            [
              "Paid by",
              <PaidBy key="paid" by={wallet.payment_method} customer={wallet.external_customer_id} />,
            ],
            ["Tallymark ID", <Copy key="id" text={wallet.lago_id} what="ID" />],
            ["Created", <Moment key="created" value={wallet.created_at} zone={zone} />],
            ["Terminated", wallet.terminated_at && <Moment value={wallet.terminated_at} zone={zone} />],
          ]}
        />
      </Section>
    </div>
  );
}

function Actions({ wallet }: { wallet: Wallet }) {
  const can = useCan();
  const navigate = useNavigate();
  const [open, setOpen] = useOpenedOne([
    can("wallets:top_up") && "void",
    can("wallets:terminate") && "terminate",
  ]);
  const isActive = wallet.status === "active";
  const owner = wallet.external_customer_id;
  if (!isActive) return null;
  return (
    <>
      {can("wallets:top_up") && (
        <Link className={buttonClass({ look: "primary" })} to={paths.wallets.topUp(owner, wallet.lago_id)}>
          <Plus className="i" aria-hidden="true" />
          Top up
        </Link>
      )}
      <ActionMenu
        label="More for this wallet"
        trigger={
          <Button isIcon aria-label="More for this wallet">
            <Ellipsis className="i" aria-hidden="true" />
          </Button>
        }
        actions={[
          {
            label: "Edit wallet",
            icon: <Pencil className="i" aria-hidden="true" />,
            onSelect: () => void navigate({ to: paths.wallets.update(owner, wallet.lago_id) }),
            isShown: can("wallets:update"),
          },
          {
            label: "Void credits",
            icon: <CircleMinus className="i" aria-hidden="true" />,
            onSelect: () => setOpen("void"),
            isShown: can("wallets:top_up"),
          },
          {
            label: "Terminate wallet",
            icon: <CircleX className="i" aria-hidden="true" />,
            onSelect: () => setOpen("terminate"),
            isDanger: true,
            isShown: can("wallets:terminate"),
          },
        ]}
      />
      {open === "void" && <VoidCredits wallet={wallet} onClose={() => setOpen(null)} />}
      {open === "terminate" && <Terminate wallet={wallet} onClose={() => setOpen(null)} />}
    </>
  );
}

function VoidCredits({ wallet, onClose }: { wallet: Wallet; onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const credits = readCredits(typed);
  const change = useChange("post", "/api/v1/wallet_transactions", {
    done: "Credits voided",
    isQuiet: true,
    onDone: onClose,
  });
  return (
    <Dialog
      title="Void credits"
      isOpen
      isDirty={typed !== ""}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="danger"
            isBusy={change.isPending}
            disabled={!credits}
            onClick={() =>
              change.mutate({
                body: { wallet_transaction: { wallet_id: wallet.lago_id, voided_credits: credits } },
              })
            }
          >
            Void credits
          </Button>
        </>
      }
    >
      {change.error && <Banner look="bad">{explain(change.error)}</Banner>}
      <Field
        label="Credits"
        hint={`Of ${units(wallet.credits_balance)}. What is voided is gone, and not given back.`}
        error={credits === null ? "This is no number of credits." : undefined}
      >
        <NumberInput value={typed} onChange={(event) => setTyped(event.target.value)} />
      </Field>
    </Dialog>
  );
}

function Terminate({ wallet, onClose }: { wallet: Wallet; onClose: () => void }) {
  const end = useChange("delete", "/api/v1/wallets/{lago_id}", {
    done: "Wallet terminated",
    onDone: onClose,
  });
  const rules = wallet.recurring_transaction_rules.filter((one) => one.status === "active").length;
  return (
    <Confirm
      title={`Terminate the wallet “${wallet.name || wallet.code}”?`}
      verb="Terminate wallet"
      isOpen
      isBusy={end.isPending}
      onClose={onClose}
      onConfirm={() => end.mutate({ params: { path: { lago_id: wallet.lago_id } } })}
    >
      <p>
        <b>{units(wallet.credits_balance)} credits</b>, {money(wallet.balance_cents, wallet.currency)}, pay no
        invoice any more{rules > 0 && `, and ${countWords(rules, "recurring top-up")} end`}.
      </p>
    </Confirm>
  );
}
