/** Everything that a subscription has used since its start, and the thresholds on its way. */
import { useQuery } from "@tanstack/react-query";
import { read } from "@/api/client";
import { money } from "@/lib/money";
import { Money } from "@/ui/amounts";
import { Meter, Section, Stat, Stats } from "@/ui/basics";
import { Loaded, Skeleton } from "@/ui/states";
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
          const next = subscription.applicable_usage_thresholds
            .map((one) => one.amount_cents)
            .sort((a, b) => a - b)
            .find((cents) => cents > total);
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
              {next !== undefined && (
                <div className="stack" style={{ marginTop: 16 }}>
                  <Meter share={total / next} label={`Of the threshold of ${money(next, currency)}`} />
                  <span className="small dim">
                    {money(total, currency)} of {money(next, currency)}, the next threshold
                  </span>
                </div>
              )}
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}
