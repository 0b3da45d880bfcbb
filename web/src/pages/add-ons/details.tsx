import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { read } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { Timeline } from "@/app/timeline";
import { percent } from "@/lib/money";
import { Day, Money } from "@/ui/amounts";
import { Button, buttonClass, Copy, Facts, Section } from "@/ui/basics";
import { Page, PageHead, Tabs } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { AddOnActions } from "./actions";

export function AddOnDetails() {
  const { id, tab } = useParams({ strict: false }) as { id: string; tab: string };
  const can = useCan();
  const addOn = useQuery(read("/api/v1/add_ons/{code}", { params: { path: { code: id } } }));
  return (
    <Page
      title={addOn.data?.add_on.name ?? "Add-on"}
      crumbs={[{ label: "Add-ons", href: paths.addOns.list() }]}
    >
      <Loaded query={addOn} what="Add-on">
        {({ add_on: shown }) => (
          <>
            <PageHead
              title={shown.name}
              sub={
                <>
                  <Copy text={shown.code} what="code" />
                  <Money cents={shown.amount_cents} currency={shown.amount_currency} isZeroPlain />
                </>
              }
              actions={
                <>
                  {can("addons:update") && (
                    <Link to={paths.addOns.update(shown.code)} className={buttonClass()}>
                      Edit add-on
                    </Link>
                  )}
                  <AddOnActions addOn={shown} isOnPage trigger={<Button>More</Button>} />
                </>
              }
            />
            <Tabs
              label="Add-on"
              tabs={[
                { label: "Overview", href: paths.addOns.show(id) },
                {
                  label: "Activity",
                  href: paths.addOns.show(id, "activity"),
                  isShown: can("audit_logs:view"),
                },
              ]}
            />
            {tab === "activity" ? (
              <Timeline whose={{ resource_ids: [shown.lago_id] }} />
            ) : (
              <Section title="Settings">
                <Facts
                  facts={[
                    [
                      "Price",
                      <Money
                        key="price"
                        cents={shown.amount_cents}
                        currency={shown.amount_currency}
                        isZeroPlain
                      />,
                    ],
                    ["Name on invoices", shown.invoice_display_name],
                    ["Taxes", shown.taxes.map(({ name, rate }) => `${name} (${percent(rate)})`).join(", ")],
                    ["Description", shown.description],
                    ["Created", <Day key="created" value={shown.created_at} />],
                  ]}
                />
              </Section>
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}
