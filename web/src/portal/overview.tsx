import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { Schema } from "@/api/client";
import { ApiError } from "@/api/errors";
import { day, isoDay, month } from "@/lib/dates";
import { money, price, readersLocale, units } from "@/lib/money";
import { Money } from "@/ui/amounts";
import { Button } from "@/ui/basics";
import { Field, NumberInput } from "@/ui/fields";
import { portalQueries, take, usePortal } from "./api";
import { dayBars } from "./days";
import { InvoiceRows } from "./invoices";
import { Card } from "./parts";

type Subscription = Schema<"PortalSubscriptionOutput">;
type Usage = Schema<"PortalUsageResponse">;
type Charge = Usage["usage"]["charges_usage"][number];
type Wallet = Schema<"PortalWalletOutput">;

export function Overview() {
  const portal = usePortal();
  const { texts, token, client } = portal;
  const me = useQuery(portalQueries.me(token, client)).data!;
  const subscriptions = useQuery(portalQueries.subscriptions(portal));
  const wallets = useQuery(portalQueries.wallets(portal));
  const invoices = useQuery(portalQueries.invoices(portal, 1, ""));
  const active =
    subscriptions.data?.subscriptions.filter((one) => one.status === "active" && one.has_usage) ?? [];
  const [shown, setShown] = useState<string | null>(null);
  const first = active.find((one) => one.lago_id === shown) ?? active[0];
  const at = (page: string): string => `/customer-portal/${encodeURIComponent(token)}${page}`;
  return (
    <>
      <div className="hello">
        <h1>{texts.hello(me.customer.display_name)}</h1>
        <p>{texts.about}</p>
      </div>
      {me.balances
        .filter((balance) => balance.due_amount_cents > 0)
        .map((balance) => (
          <div className="due" key={balance.currency}>
            <b>
              {balance.overdue_amount_cents > 0
                ? texts.overdue(
                    money(balance.overdue_amount_cents, balance.currency),
                    balance.overdue_invoices_count,
                  )
                : texts.due(money(balance.due_amount_cents, balance.currency))}
            </b>
            <Link className="btn btn-primary" to={at("/invoices")}>
              {texts.seeInvoices}
            </Link>
          </div>
        ))}
      <div className="grid">
        <div className="col">
          {first && <UsageCard key={first.lago_id} subscription={first} />}
          <Card
            title={texts.invoices}
            query={invoices}
            end={
              (invoices.data?.meta.total_count ?? 0) > 5 && (
                <Link className="link" to={at("/invoices")}>
                  {texts.seeAll(invoices.data?.meta.total_count ?? 0)}
                </Link>
              )
            }
          >
            {(page) => <InvoiceRows invoices={page.invoices.slice(0, 5)} />}
          </Card>
        </div>
        <div className="col">
          <Card title={texts.plans} query={subscriptions}>
            {({ subscriptions: all }) =>
              all.length === 0 ? (
                <p className="facts">{texts.noPlans}</p>
              ) : (
                all.map((one) => (
                  <PlanFacts
                    key={one.lago_id}
                    subscription={one}
                    isShown={one.lago_id === first?.lago_id}
                    onShow={
                      active.length > 1 && one.has_usage && one.status === "active"
                        ? () => setShown(one.lago_id)
                        : undefined
                    }
                  />
                ))
              )
            }
          </Card>
          {(wallets.data?.wallets.length !== 0 || wallets.error) && (
            <Card query={wallets} title={wallets.data ? undefined : texts.credits}>
              {({ wallets: all }) => (
                <div className="col">
                  {all.map((wallet) => (
                    <WalletFacts key={wallet.lago_id} wallet={wallet} />
                  ))}
                </div>
              )}
            </Card>
          )}
          <DetailsCard href={at("/details")} />
        </div>
      </div>
    </>
  );
}

function UsageCard({ subscription }: { subscription: Subscription }) {
  const portal = usePortal();
  const { texts, zone } = portal;
  const usage = useQuery(portalQueries.usage(portal, subscription.lago_id));
  return (
    <Card query={usage}>
      {({ usage: shown, days }) => {
        const from = isoDay(shown.from_datetime, zone);
        const to = isoDay(shown.to_datetime, zone);
        const used = shown.charges_usage.filter(
          (charge) => charge.events_count > 0 || charge.amount_cents > 0,
        );
        return (
          <>
            <div className="use-h">
              <div>
                <h2>{texts.soFar(periodName(from, to, subscription))}</h2>
                <div className="big">
                  <Money cents={shown.amount_cents} currency={shown.currency} isZeroPlain />
                </div>
              </div>
              <div style={{ color: "var(--ink-2)" }}>
                {texts.projected(money(shown.projected_amount_cents, shown.currency), day(to))}
              </div>
            </div>
            <Bars usage={shown} days={days} from={from} to={to} />
            {used.length === 0 ? (
              <p className="facts">{texts.noUsage}</p>
            ) : (
              <ul className="lines">
                {used.map((charge) => (
                  <ChargeLine key={charge.charge.lago_id} charge={charge} currency={shown.currency} />
                ))}
              </ul>
            )}
          </>
        );
      }}
    </Card>
  );
}

/** The month where the period is one, else its plan's name. */
function periodName(from: string, to: string, subscription: Subscription): string {
  if (from.slice(0, 7) === to.slice(0, 7) && from.endsWith("-01")) return month(from);
  return subscription.name ?? subscription.plan_name;
}

function Bars({
  usage,
  days,
  from,
  to,
}: {
  usage: Usage["usage"];
  days: Usage["days"];
  from: string;
  to: string;
}) {
  const { texts } = usePortal();
  const bars = dayBars(from, to, days);
  if (bars.length > 92) return null;
  const counted = bars.filter((bar) => !bar.isAhead).length;
  return (
    <>
      <div className="daybar" role="img" aria-label={`${texts.usageByDay}: ${counted} / ${bars.length}`}>
        {bars.map((bar) => (
          <i
            key={bar.date}
            className={bar.isAhead ? "f" : undefined}
            title={`${day(bar.date)}: ${money(bar.cents, usage.currency)}`}
          >
            <b style={{ height: `${Math.max(bar.share * 100, bar.cents > 0 ? 6 : 0)}%` }} />
          </i>
        ))}
      </div>
      <div className="dayx">
        <span>{day(from)}</span>
        <span>{day(to)}</span>
      </div>
    </>
  );
}

function ChargeLine({ charge, currency }: { charge: Charge; currency: string }) {
  const name = charge.charge.invoice_display_name ?? charge.billable_metric.name;
  const parts = [
    ...charge.filters
      .filter((filter) => filter.units !== "0" && filter.units !== "0.0")
      .map((filter) => ({
        name:
          filter.invoice_display_name ??
          Object.values((filter.values ?? {}) as Record<string, string[]>)
            .flat()
            .join(", "),
        ...filter,
      })),
    ...charge.grouped_usage.map((group) => ({
      name: Object.values(group.grouped_by as Record<string, string | null>)
        .filter(Boolean)
        .join(", "),
      ...group,
    })),
  ].filter((part) => part.name);
  return (
    <li>
      <span>{name}</span>
      <span>{units(charge.units)}</span>
      <Money cents={charge.amount_cents} currency={currency} />
      {parts.length > 0 && (
        <ul>
          {parts.map((part) => (
            <li key={part.name}>
              <span>{part.name}</span>
              <span>{units(part.units)}</span>
              <Money cents={part.amount_cents} currency={currency} />
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function PlanFacts({
  subscription,
  isShown,
  onShow,
}: {
  subscription: Subscription;
  isShown: boolean;
  onShow: (() => void) | undefined;
}) {
  const { texts, zone } = usePortal();
  const { plan_interval, amount_cents, currency, has_usage, renews_on, ends_on, starts_on, next_plan_name } =
    subscription;
  const fee = texts.perInterval[plan_interval](money(amount_cents, currency));
  return (
    <div className="facts">
      <b>{subscription.name ?? subscription.plan_name}</b>
      <div>
        {fee}
        {has_usage && `, ${texts.plusUsage}`}, {texts.beforeTax}
      </div>
      {subscription.status === "pending" && starts_on && <div>{texts.notActive(day(starts_on, zone))}</div>}
      {renews_on && <div>{texts.renews(day(renews_on, zone))}</div>}
      {ends_on && <div>{texts.ends(day(ends_on, zone))}</div>}
      {next_plan_name && <div>{texts.changesTo(next_plan_name)}</div>}
      {onShow && !isShown && (
        <button type="button" className="link" onClick={onShow}>
          {texts.viewUsage}
        </button>
      )}
    </div>
  );
}

function WalletFacts({ wallet }: { wallet: Wallet }) {
  const { texts, zone } = usePortal();
  const [isAdding, setAdding] = useState(false);
  return (
    <div>
      <h2>{wallet.name ?? texts.credits}</h2>
      <div className="credits">{units(wallet.credits_ongoing_balance)}</div>
      <div style={{ color: "var(--ink-2)" }}>
        {texts.creditsWorth(money(wallet.ongoing_balance_cents, wallet.currency))}.{" "}
        {texts.creditPays(price(wallet.rate_amount, wallet.currency))}
      </div>
      <div className="dim" style={{ fontSize: 14 }}>
        {texts.creditsUsed(units(wallet.consumed_credits))}
        {wallet.expiration_at && `. ${texts.expires(day(wallet.expiration_at, zone))}`}
      </div>
      {isAdding ? (
        <TopUp wallet={wallet} onClose={() => setAdding(false)} />
      ) : (
        <Button style={{ marginTop: 16, width: "100%" }} onClick={() => setAdding(true)}>
          {texts.addCredits}
        </Button>
      )}
    </div>
  );
}

/** How often a second apart a page for a purchase is asked for. */
const MOST_TRIES = 15;

function TopUp({ wallet, onClose }: { wallet: Wallet; onClose: () => void }) {
  const portal = usePortal();
  const { texts, client, token } = portal;
  const queries = useQueryClient();
  const [typed, setTyped] = useState("");
  const credits = typed.trim().replace(",", ".");
  const isNumber = /^\d+(\.\d+)?$/.test(credits) && Number(credits) > 0;
  const asked = useQuery({ ...portalQueries.topUpPrice(portal, wallet.lago_id, credits), enabled: isNumber });
  const add = useMutation({
    mutationFn: () =>
      take(
        client.POST("/portal/v1/wallets/{lago_id}/top_ups", {
          params: { path: { lago_id: wallet.lago_id } },
          body: { top_up: { paid_credits: credits } },
        }),
      ),
    onSuccess: ({ top_up }) => {
      void queries.invalidateQueries({ queryKey: ["portal", token] });
      if (top_up.is_paid_on_page) page.mutate(top_up.lago_id);
    },
  });
  // Its invoice is made in a moment: until then there is nothing to be paid.
  const page = useMutation({
    mutationFn: (lago_id: string) =>
      take(
        client.POST("/portal/v1/wallet_transactions/{lago_id}/payment_url", {
          params: { path: { lago_id } },
        }),
      ),
    retry: (count, error) => count < MOST_TRIES && error instanceof ApiError && error.status === 422,
    retryDelay: 1000,
    onSuccess: (answer) => location.assign(answer.payment_page.payment_url),
  });
  const isUnheard = add.error !== null && !(add.error instanceof ApiError && add.error.status < 500);
  const { paid_top_up_min_amount_cents: least, paid_top_up_max_amount_cents: most, currency } = wallet;
  const limits = [
    least !== null && texts.atLeast(money(least, currency)),
    most !== null && texts.atMost(money(most, currency)),
  ].filter(Boolean);
  if (add.isSuccess)
    return (
      <p className="facts" role="status">
        {page.isPending ? texts.pageOpens : texts.topUpDone}
      </p>
    );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isNumber) add.mutate();
  };
  const cost = isNumber && asked.data ? money(asked.data.top_up_price.amount_cents, currency) : null;
  return (
    <form className="stack" style={{ marginTop: 16, gap: 12 }} onSubmit={submit}>
      <Field
        label={texts.howMany}
        hint={limits.join(", ")}
        error={isUnheard ? texts.unheard : add.error || asked.error ? texts.wrongField : undefined}
      >
        <NumberInput autoFocus value={typed} onChange={(event) => setTyped(event.target.value)} />
      </Field>
      <Button look="primary" type="submit" isBusy={add.isPending} disabled={!cost || Boolean(asked.error)}>
        {cost ? texts.topUpFor(cost) : texts.addCredits}
      </Button>
      <Button look="ghost" onClick={onClose}>
        {texts.cancel}
      </Button>
    </form>
  );
}

function DetailsCard({ href }: { href: string }) {
  const { texts, token, client } = usePortal();
  const me = useQuery(portalQueries.me(token, client));
  return (
    <Card
      title={texts.details}
      query={me}
      end={
        <Link className="link" to={href}>
          {texts.edit}
        </Link>
      }
    >
      {({ customer }) => (
        <div className="facts">
          <b>{customer.legal_name ?? customer.display_name}</b>
          <div>{[customer.address_line1, customer.address_line2].filter(Boolean).join(", ")}</div>
          <div>
            {[[customer.zipcode, customer.city].filter(Boolean).join(" "), customer.state]
              .filter(Boolean)
              .join(", ")}
          </div>
          <div>{customer.country && countryIn(customer.country)}</div>
          <div className="id">{customer.legal_number}</div>
          <div className="id">{customer.tax_identification_number}</div>
          <div>{customer.email}</div>
        </div>
      )}
    </Card>
  );
}

/** A country's name in the reader's language. */
function countryIn(code: string): string | undefined {
  return new Intl.DisplayNames(readersLocale(), { type: "region" }).of(code);
}
