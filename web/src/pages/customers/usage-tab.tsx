import { useCan } from "@/app/session";
import { Select } from "@/ui/fields";
import { useKept } from "@/ui/opened";
import { Empty, Loaded } from "@/ui/states";
import type { TabProps } from "./page";
import { RevenueSection } from "./revenue";
import { readWhy } from "./usage-proof";
import { UsageTable } from "./usage-table";
import { useWhy } from "./usage-why";

/** Current and projected usage of one subscription after the other. */
export function CustomerUsage({ customer, reads }: TabProps) {
  const can = useCan();
  const { why } = useWhy();
  const [kept, keep] = useKept("subscription");
  const chosen = kept ?? readWhy(why)?.subscription;
  return (
    <div className="tab-body">
      <Loaded query={reads.subscriptions} what="Subscriptions">
        {({ subscriptions }) => {
          const running = subscriptions.filter((one) => one.status === "active");
          const shown = running.find((one) => one.external_id === chosen) ?? running[0];
          if (!shown) {
            return <Empty title="Nothing is metered">Usage counts from when a subscription starts.</Empty>;
          }
          return (
            <UsageTable
              customer={customer.external_id}
              subscription={shown.external_id}
              zone={customer.applicable_timezone}
              switcher={
                running.length > 1 && (
                  <Select
                    isTool
                    aria-label="Subscription"
                    value={shown.external_id}
                    options={running.map((one) => ({
                      value: one.external_id,
                      label: one.name || one.external_id,
                    }))}
                    onChange={keep}
                  />
                )
              }
            />
          );
        }}
      </Loaded>
      {can("analytics:view") && <RevenueSection reads={reads} />}
    </div>
  );
}
