/** Everything that a subscription has used since its start, and the thresholds on its way. */
import { useQuery } from "@tanstack/react-query";
import { read } from "@/api/client";
import { money } from "@/lib/money";
import { Money } from "@/ui/amounts";
import { Section, Stat, Stats } from "@/ui/basics";
import { Loaded, Skeleton } from "@/ui/states";
import { Status } from "@/ui/status";
import { Table } from "@/ui/table";
import { ladderOf, type Rung, topOf } from "./ladder";
import type { TabProps } from "./page";

export function LifetimeUsage({ subscription }: TabProps) {
  const lifetime = useQuery(
    read("/api/v1/subscriptions/{external_id}/lifetime_usage", {
      params: { path: { external_id: subscription.external_id } },
    }),
  );
  const currency = subscription.plan.amount_currency;
  return (
    <Section title="Since the start">
      <Loaded query={lifetime} what="Lifetime usage" skeleton={<Skeleton width="50%" />}>
        {({ lifetime_usage: found }) => {
          const total =
            found.external_historical_usage_amount_cents +
            found.invoiced_usage_amount_cents +
            found.current_usage_amount_cents;
          return (
            <>
              <Stats>
                <Stat name="All usage" value={<Money cents={total} currency={currency} isZeroPlain />} />
                <Stat
                  name="Billed"
                  value={<Money cents={found.invoiced_usage_amount_cents} currency={currency} isZeroPlain />}
                />
                <Stat
                  name="Not yet billed"
                  value={<Money cents={found.current_usage_amount_cents} currency={currency} isZeroPlain />}
                />
                <Stat
                  name="From before"
                  value={
                    <Money
                      cents={found.external_historical_usage_amount_cents}
                      currency={currency}
                      isZeroPlain
                    />
                  }
                  detail="in another system"
                />
              </Stats>
              <Ladder
                rungs={ladderOf(subscription.applicable_usage_thresholds, total)}
                used={total}
                currency={currency}
              />
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}

interface LadderProps {
  rungs: readonly Rung[];
  used: number;
  currency: string;
}

/** What was used on its way past the thresholds: a picture, and the same as a table. */
function Ladder({ rungs, used, currency }: LadderProps) {
  if (rungs.length === 0) return null;
  const top = topOf(rungs, used);
  const next = rungs.find((one) => !one.isReached);
  const share = (cents: number) => `${Math.min(100, (cents / top) * 100)}%`;
  const sentence = next
    ? `${money(used, currency)} used, the next threshold is at ${money(next.cents, currency)}`
    : `${money(used, currency)} used, every threshold is reached`;
  return (
    <>
      <div className="ladder" role="img" aria-label={sentence}>
        <i className="used" style={{ width: share(Math.max(0, used)) }} />
        {rungs.map((one) => (
          <i key={one.cents} className="rung" style={{ left: share(one.cents) }} />
        ))}
      </div>
      <Table
        label="Thresholds"
        rows={rungs}
        keyOf={({ cents }) => String(cents)}
        columns={[
          { head: "Threshold", fold: "f1", cell: ({ name }) => name || "Threshold" },
          {
            head: "Status",
            fold: "f4",
            cell: ({ isReached }) =>
              isReached ? (
                <Status status="succeeded" word="Reached" />
              ) : (
                <Status status="pending" word="To come" />
              ),
          },
          {
            head: "Left",
            isNumber: true,
            isLow: true,
            cell: ({ cents, isReached }) =>
              isReached ? <span className="dim">–</span> : <Money cents={cents - used} currency={currency} />,
          },
          {
            head: "At",
            isNumber: true,
            fold: "f2",
            cell: ({ cents }) => <Money cents={cents} currency={currency} />,
          },
        ]}
      />
    </>
  );
}
