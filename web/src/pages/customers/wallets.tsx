import { Link } from "@tanstack/react-router";
import { ArrowUpNarrowWide, Plus, RefreshCw } from "lucide-react";
import type { ReactNode } from "react";
import type { Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { day } from "@/lib/dates";
import { compare, decimalText, dividedBy, exact, plus, ZERO } from "@/lib/exact";
import { money, price, units } from "@/lib/money";
import { buttonClass, Section } from "@/ui/basics";
import { Empty, Loaded, Skeleton } from "@/ui/states";
import { Status } from "@/ui/status";
import type { Customer, Wallet } from "./customer";
import type { TabProps } from "./page";

export function Wallets({ customer, reads }: TabProps) {
  const can = useCan();
  const create = can("wallets:create") && (
    <Link className={buttonClass({ size: "sm" })} to={paths.wallets.create(customer.external_id)}>
      <Plus className="i" aria-hidden="true" />
      Add wallet
    </Link>
  );
  return (
    <Loaded query={reads.wallets} what="Wallets" skeleton={<Skeleton width="60%" />}>
      {({ wallets }) => {
        const active = wallets.filter((one) => one.status === "active");
        const over = wallets.filter((one) => one.status !== "active");
        if (wallets.length === 0) {
          return (
            <Empty title="No wallet yet" actions={create}>
              Credits in a wallet pay invoices before they are collected.
            </Empty>
          );
        }
        return (
          <div className="tab-body">
            <Section title="Active wallets" meta={active.length.toLocaleString()} actions={create}>
              <Cards customer={customer} wallets={active} />
            </Section>
            {over.length > 0 && (
              <Section title="Terminated wallets" meta={over.length.toLocaleString()}>
                <Cards customer={customer} wallets={over} />
              </Section>
            )}
          </div>
        );
      }}
    </Loaded>
  );
}

/** The active wallets of a customer, in the order in which they are used. */
export function WalletCards({ customer, wallets }: { customer: Customer; wallets: readonly Wallet[] }) {
  const can = useCan();
  const active = wallets.filter((one) => one.status === "active");
  const [first] = inOrder(active);
  if (!first) return null;
  return (
    <Section
      title="Wallets"
      actions={
        can("wallets:top_up") && (
          <Link
            className={buttonClass({ size: "sm" })}
            to={paths.wallets.topUp(customer.external_id, first.lago_id)}
          >
            <Plus className="i" aria-hidden="true" />
            Top up
          </Link>
        )
      }
    >
      <Cards customer={customer} wallets={active} />
    </Section>
  );
}

function Cards({ customer, wallets }: { customer: Customer; wallets: readonly Wallet[] }) {
  return (
    <div className="wallets">
      {inOrder(wallets).map((wallet) => (
        <Link
          key={wallet.lago_id}
          className="wal"
          to={paths.wallets.show(customer.external_id, wallet.lago_id)}
        >
          <WalletCard wallet={wallet} zone={customer.applicable_timezone} />
        </Link>
      ))}
    </div>
  );
}

/** By priority, then by age: as credits are taken. */
function inOrder(wallets: readonly Wallet[]): Wallet[] {
  return [...wallets].sort((a, b) => a.priority - b.priority || a.created_at.localeCompare(b.created_at));
}

function WalletCard({ wallet, zone }: { wallet: Wallet; zone: string }) {
  const { currency } = wallet;
  const rule = wallet.recurring_transaction_rules.find((one) => one.status === "active");
  return (
    <>
      <div className="row between">
        <span className="med trunc">{wallet.name || wallet.code}</span>
        {wallet.status === "active" && wallet.expiration_at ? (
          <Status
            status="active"
            tone="warn"
            glyph="alert"
            word={`Expires ${day(wallet.expiration_at, zone)}`}
          />
        ) : (
          <Status status={wallet.status} />
        )}
      </div>
      <div className="v">
        {units(wallet.credits_balance)}{" "}
        <small>
          credits, {price(wallet.rate_amount, currency)} each{scopeWords(wallet)}
        </small>
      </div>
      <Balance wallet={wallet} />
      <div className="small dim">{usedWords(wallet)}</div>
      <div className="small ink2 row">
        <Note icon={<ArrowUpNarrowWide className="i i-14" aria-hidden="true" />}>
          Priority {wallet.priority}
        </Note>
      </div>
      {rule && (
        <div className="small ink2 row">
          <Note icon={<RefreshCw className="i i-14" aria-hidden="true" />}>{ruleWords(rule)}</Note>
        </div>
      )}
    </>
  );
}

function Note({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <>
      {icon}
      <span>{children}</span>
    </>
  );
}

/** What is free of the balance, and what the current usage has taken already. */
export function Balance({ wallet }: { wallet: Wallet }) {
  const { free, taken } = shares(wallet);
  return (
    <div
      className="meter"
      role="img"
      aria-label={`${Math.round(taken * 100)}% of the balance is taken by current usage`}
    >
      <i style={{ width: `${free * 100}%` }} />
      {taken > 0 && <i className="proj" style={{ left: `${free * 100}%`, width: `${taken * 100}%` }} />}
    </div>
  );
}

/** Shares of the balance, for bars: nothing of a wallet that is empty. */
export function shares(wallet: Pick<Wallet, "balance_cents" | "ongoing_balance_cents">): {
  free: number;
  taken: number;
} {
  const balance = exact(wallet.balance_cents);
  if (compare(balance, ZERO) <= 0) return { free: 0, taken: 0 };
  const ongoing = exact(Math.max(0, Math.min(wallet.ongoing_balance_cents, wallet.balance_cents)));
  const free = Number(decimalText(dividedBy(ongoing, balance), 4).replace("…", ""));
  return { free, taken: 1 - free };
}

/** What the current usage has taken of the balance, in words. */
export function usedWords(wallet: Wallet): string {
  const { currency, ongoing_balance_cents: free, ongoing_usage_balance_cents: used } = wallet;
  if (free < 0) return `Used up: the current period needs ${money(-free, currency)} more`;
  return `${money(free, currency)} free, ${money(used, currency)} used by this period`;
}

function scopeWords(wallet: Wallet): string {
  const { fee_types, billable_metric_codes } = wallet.applies_to;
  const only = [...fee_types, ...billable_metric_codes].map((one) => one.replaceAll("_", " "));
  return only.length > 0 ? `, only ${only.join(", ")}` : "";
}

/** A rule in words: "Tops up 2,000 credits below 500". */
export function ruleWords(rule: Schema<"RuleOutput">): string {
  const credits = plus(exact(rule.paid_credits), exact(rule.granted_credits));
  const what =
    rule.method === "target"
      ? `Tops up to ${units(rule.target_ongoing_balance ?? "0")} credits`
      : `Tops up ${units(decimalText(credits, 5))} credits`;
  return rule.trigger === "threshold"
    ? `${what} below ${units(rule.threshold_credits ?? "0")}`
    : `${what}, ${rule.interval ?? ""}`;
}
