import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { read, type Schema, WHOLE } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useNow } from "@/app/session";
import { ShortTimeline } from "@/app/timeline";
import { languageName } from "@/lib/choices";
import { day, halfOpenPeriod, isoDay, month, period } from "@/lib/dates";
import { money, percent, roundMoney } from "@/lib/money";
import { countWords } from "@/lib/words";
import { providerName } from "@/pages/payment-providers/kinds";
import { Day, Why } from "@/ui/amounts";
import { Facts, Section, Stat, Stats } from "@/ui/basics";
import { Chart } from "@/ui/chart";
import { allOf, Empty, Loaded, LoadedStat, type QueryLike, Skeleton } from "@/ui/states";
import { Amounts, BalanceDue, writtenOut } from "./balance";
import { byCurrency, type Customer, type Subscription } from "./customer";
import { InvoiceTable } from "./lists";
import type { TabProps } from "./page";
import { type CustomerReads, projectedUsage } from "./reads";
import { SubscriptionTable } from "./subscription-table";
import { limitsOf, monthBefore, type ProjectedUsage, usageChart } from "./usage";
import { TOTAL } from "./usage-proof";
import { useWhy } from "./usage-why";
import { WalletCards } from "./wallets";

export function Overview({ customer, reads }: TabProps) {
  const can = useCan();
  const id = customer.external_id;
  const usages = useUsages(id, reads.subscriptions.data?.subscriptions ?? []);
  return (
    <div className="cols">
      <div>
        <Figures customer={customer} reads={reads} usages={usages} />
        <UsageSection customer={id} zone={customer.applicable_timezone} usages={usages} />
        <Section title="Subscriptions" actions={<Ended reads={reads} customer={id} />}>
          <Loaded query={reads.subscriptions} what="Subscriptions" skeleton={<Skeleton width="70%" />}>
            {({ subscriptions }) => (
              <SubscriptionTable
                subscriptions={subscriptions.filter((one) => !isOver(one)).sort(runningFirst)}
                plans={reads.plans.data?.plans}
                usages={usages}
                zone={customer.applicable_timezone}
                empty={
                  <Empty title="No subscription yet">
                    A subscription says which plan bills this customer.
                  </Empty>
                }
              />
            )}
          </Loaded>
        </Section>
        {(reads.wallets.data?.wallets.length ?? 0) > 0 && (
          <WalletCards customer={customer} wallets={reads.wallets.data!.wallets} />
        )}
        {can("invoices:view") && (
          <Section
            title="Invoices"
            actions={
              (reads.invoices.data?.meta.total_count ?? 0) > 5 && (
                <Link className="link small" to={paths.customers.show(id, "invoices")}>
                  All {reads.invoices.data!.meta.total_count.toLocaleString()}
                </Link>
              )
            }
          >
            <Loaded query={reads.invoices} what="Invoices" skeleton={<Skeleton width="70%" />}>
              {({ invoices }) =>
                invoices.length === 0 ? (
                  <Empty title="Nothing billed yet" />
                ) : (
                  <InvoiceTable invoices={invoices} customer={customer} />
                )
              }
            </Loaded>
          </Section>
        )}
      </div>
      <Rail customer={customer} reads={reads} />
    </div>
  );
}

function isOver(subscription: Subscription): boolean {
  return subscription.status === "terminated" || subscription.status === "canceled";
}

/** The way to subscriptions that are over, where there are any. */
function Ended({ reads, customer }: { reads: CustomerReads; customer: string }) {
  const count = reads.subscriptions.data?.subscriptions.filter(isOver).length ?? 0;
  if (count === 0) return null;
  const query = new URLSearchParams({ "status[]": "all", external_customer_id: customer });
  return (
    <Link className="link small" to={`${paths.subscriptions.list()}?${query}`}>
      {count.toLocaleString()} ended
    </Link>
  );
}

function runningFirst(a: Subscription, b: Subscription): number {
  return Number(b.status === "active") - Number(a.status === "active");
}

export interface Usages {
  /** By external id of the subscription; those that are there already. */
  bySubscription: Map<string, ProjectedUsage>;
  /** The external ids of all that run. */
  running: readonly string[];
  isLoading: boolean;
  /** What brings them. */
  reads: QueryLike<true>;
}

/** The usage of the current periods of all running subscriptions. */
export function useUsages(
  customer: string,
  subscriptions: readonly Pick<Subscription, "status" | "external_id">[],
): Usages {
  const running = subscriptions.filter((one) => one.status === "active");
  const answers = useQueries({
    queries: running.map((one) => projectedUsage(customer, one.external_id)),
  });
  const bySubscription = new Map<string, ProjectedUsage>();
  running.forEach((one, index) => {
    const usage = answers[index]?.data?.customer_projected_usage;
    if (usage) bySubscription.set(one.external_id, usage);
  });
  return {
    bySubscription,
    running: running.map((one) => one.external_id),
    isLoading: answers.some((one) => one.isLoading),
    reads: allOf(answers),
  };
}

interface FiguresProps {
  customer: Customer;
  reads: CustomerReads;
  usages: Usages;
}

function Figures({ customer, reads, usages }: FiguresProps) {
  const can = useCan();
  const { why, show } = useWhy();
  const now = new Date(useNow()).toISOString();
  const zone = customer.applicable_timezone;
  const known = [...usages.bySubscription.values()];
  const used = byCurrency(known.map((one) => ({ cents: one.amount_cents, currency: one.currency })));
  const projected = byCurrency(
    known.map((one) => ({ cents: one.projected_amount_cents, currency: one.currency })),
  );
  const from = known.map((one) => one.from_datetime).sort()[0];
  const wallets = reads.wallets.data?.wallets.filter((one) => one.status === "active") ?? [];
  const balances = byCurrency(wallets.map((one) => ({ cents: one.balance_cents, currency: one.currency })));
  const free = byCurrency(
    wallets.map((one) => ({ cents: Math.max(0, one.ongoing_balance_cents), currency: one.currency })),
  );
  return (
    <Stats>
      <LoadedStat name="Usage" query={allOf([reads.subscriptions, usages.reads])}>
        {() => (
          <Stat
            name={from ? `Usage, ${rangeTo(from, now, zone)}` : "Usage"}
            value={
              used.length > 0 ? (
                <Why isOpen={why !== undefined} onClick={() => show(why ? undefined : TOTAL)}>
                  <Amounts amounts={used} currency={customer.currency} />
                </Why>
              ) : (
                <Amounts amounts={used} currency={customer.currency} />
              )
            }
            detail={
              projected.length > 0
                ? `${projected.map(([currency, cents]) => money(cents, currency)).join(", ")} projected`
                : "nothing is metered"
            }
          />
        )}
      </LoadedStat>
      {can("invoices:view") && <BalanceDue customer={customer} reads={reads} />}
      <LoadedStat name="Prepaid credits" query={reads.wallets}>
        {() => (
          <Stat
            name="Prepaid credits"
            value={<Amounts amounts={balances} currency={customer.currency} />}
            detail={
              wallets.length === 0
                ? "no wallet"
                : `${free.map(([currency, cents]) => money(cents, currency)).join(", ")} not yet used`
            }
          />
        )}
      </LoadedStat>
      {can("analytics:view") && <Billed customer={customer} reads={reads} />}
    </Stats>
  );
}

function rangeTo(from: string, now: string, zone: string): string {
  return now > from ? halfOpenPeriod(from, now, zone).replace(/\s\d{4}$/, "") : day(from, zone);
}

function Billed({ customer, reads }: { customer: Customer; reads: CustomerReads }) {
  const months = (reads.revenue.data?.gross_revenues ?? []).filter((one) => one.amount_cents !== 0);
  const total = byCurrency(months.map((one) => ({ cents: one.amount_cents, currency: one.currency })));
  const first = months.map((one) => one.month).sort()[0];
  const count = months.reduce((sum, one) => sum + one.invoices_count, 0);
  return (
    <LoadedStat name="Billed" query={reads.revenue}>
      {() => (
        <Stat
          name={first ? `Billed since ${month(first, "UTC")}` : "Billed"}
          value={<Amounts amounts={total} currency={customer.currency} />}
          detail={
            <>
              {countWords(count, "invoice")}
              <BilledByIssuer months={months} reads={reads} />
            </>
          }
        />
      )}
    </LoadedStat>
  );
}

/** What each issuer billed, where there are several. */
function BilledByIssuer({
  months,
  reads,
}: {
  months: readonly Schema<"GrossRevenueOutput">[];
  reads: CustomerReads;
}) {
  const issuers = [...Map.groupBy(months, (one) => one.billing_entity_id)];
  if (issuers.length < 2) return null;
  const entities = reads.entities.data?.billing_entities ?? [];
  return issuers.map(([id, own]) => (
    <div key={id}>
      {entities.find((one) => one.lago_id === id)?.name ?? "Another entity"}:{" "}
      {writtenOut(byCurrency(own.map((one) => ({ cents: one.amount_cents, currency: one.currency }))))}
    </div>
  ));
}

interface UsageSectionProps {
  /** External ids; without a subscription all of the customer's are one. */
  customer: string;
  subscription?: string;
  zone: string;
  usages: Usages;
}

/** Usage of the current period, day by day, with what is projected, the period before, and what alerts watch for. */
export function UsageSection({ customer, subscription, zone, usages }: UsageSectionProps) {
  const can = useCan();
  const now = new Date(useNow()).toISOString();
  const known = [...usages.bySubscription.values()];
  // An alert watches one subscription: its amounts are the chart's where there is no other.
  const watched = subscription ?? (usages.running.length === 1 ? usages.running[0] : undefined);
  const alerts = useQuery({
    ...read("/api/v1/subscriptions/{external_id}/alerts", {
      params: { path: { external_id: watched ?? "-" }, query: WHOLE },
    }),
    enabled: watched !== undefined,
    placeholderData: undefined,
  });
  const [first] = known;
  const { data } = useQuery({
    ...read("/api/v1/analytics/usage", {
      params: {
        query: {
          time_granularity: "daily",
          external_customer_id: customer,
          ...(subscription && { external_subscription_id: subscription }),
          from_date: earliest(now, zone),
          to_date: isoDay(now, zone),
        },
      },
    }),
    enabled: can("analytics:view"),
  });
  const same = known.filter((one) => one.currency === first?.currency);
  const chart = usageChart({ usages: same, daily: data?.usages ?? [], now, zone });
  if (!first || !chart || chart.series.length === 0) return null;
  const { currency } = first;
  const total = same.reduce((sum, one) => sum + one.amount_cents, 0);
  const projected = same.reduce((sum, one) => sum + one.projected_amount_cents, 0);
  const limits = limitsOf(alerts.data?.alerts ?? [], Math.max(total, projected)).map((limit) => ({
    ...limit,
    label: `${limit.label}, ${money(limit.value, currency)}`,
  }));
  const sentence =
    `Amount used this period by day and metric: ${money(total, currency)} so far, ` +
    `projected ${money(projected, currency)} by ${day(chart.days.at(-1)!)}.`;
  return (
    <Section title="Usage this period" meta={period(chart.days[0]!, chart.days.at(-1)!)}>
      <Chart
        sentence={sentence}
        columns={chart.days.map((one, index) => ({
          label: day(one),
          short: index === 0 ? day(one).replace(/\s\d{4}$/, "") : String(Number(one.slice(8))),
        }))}
        series={chart.series}
        write={(value) => money(value, currency)}
        writeTick={(value) => (value === 0 ? "0" : roundMoney(value, currency))}
        columnName="Day"
        limits={limits}
        {...(chart.today !== null && { today: chart.today, projectedFrom: chart.today + 1 })}
        {...(chart.before && {
          before: { name: month(monthBefore(chart.days), "UTC", "short"), values: chart.before },
        })}
      />
    </Section>
  );
}

/** Early enough for the period before of a month that has just begun. */
function earliest(now: string, zone: string): string {
  return new Date(Date.parse(isoDay(now, zone)) - 62 * 86_400_000).toISOString().slice(0, 10);
}

function Rail({ customer, reads }: { customer: Customer; reads: CustomerReads }) {
  const can = useCan();
  const entity = reads.entities.data?.billing_entities.find(
    (one) => one.code === customer.billing_entity_code,
  );
  const config = customer.billing_configuration;
  const term = customer.net_payment_term ?? entity?.net_payment_term;
  const grace = config.invoice_grace_period ?? entity?.invoice_grace_period;
  const language = config.document_locale ?? entity?.document_locale;
  return (
    <aside className="rail">
      <section>
        <h2>Details</h2>
        <Facts
          isTight
          facts={[
            ["Billed by", entity?.name ?? customer.billing_entity_code],
            [
              "Tax number",
              customer.tax_identification_number && (
                <span className="id">{customer.tax_identification_number}</span>
              ),
            ],
            [
              "Tax",
              customer.taxes.map((tax) => `${tax.name}, ${percent(tax.rate)}`).join("; ") ||
                "From the entity",
            ],
            ["Terms", term === undefined ? null : termWords(term, grace)],
            ["Pays by", config.payment_provider && providerName(config.payment_provider)],
            ["E-mail", customer.email],
            ["Language", language && languageName(language)],
            ["Since", <Day key="since" value={customer.created_at} zone={customer.applicable_timezone} />],
          ]}
        />
      </section>
      {can("audit_logs:view") && (
        <section>
          <h2>Timeline</h2>
          <ShortTimeline
            whose={{ external_customer_id: customer.external_id }}
            zone={customer.applicable_timezone}
          />
          <p style={{ marginTop: 14 }}>
            <Link className="link small" to={paths.customers.show(customer.external_id, "activity")}>
              All activity
            </Link>
          </p>
        </section>
      )}
    </aside>
  );
}

function termWords(days: number, grace: number | null | undefined): string {
  const term = days === 0 ? "Due at once" : `Net ${days}`;
  return grace ? `${term}, ${grace}-day grace` : term;
}
