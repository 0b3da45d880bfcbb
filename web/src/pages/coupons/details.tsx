import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Ticket } from "lucide-react";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useNow } from "@/app/session";
import { countWords } from "@/lib/words";
import { CatalogDetails } from "@/pages/catalog/details";
import { Day, Money } from "@/ui/amounts";
import { Facts, Section } from "@/ui/basics";
import { List, useListState, useRows } from "@/ui/list";
import { useOpenedRow } from "@/ui/opened";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { Empty } from "@/ui/states";
import { Status } from "@/ui/status";
import { CouponActions } from "./actions";
import { type Coupon, couponWords, statusOf } from "./coupon";

export function CouponDetails() {
  const { id, tab } = useParams({ strict: false }) as { id: string; tab: string };
  const now = useNow();
  const coupon = useQuery(read("/api/v1/coupons/{code}", { params: { path: { code: id } } }));
  return (
    <CatalogDetails
      what="Coupon"
      list={{ label: "Coupons", href: paths.coupons.list() }}
      query={coupon}
      thingOf={(answer) => answer.coupon}
      tab={tab}
      hrefOf={(of) => paths.coupons.show(id, of)}
      status={(shown) => <Status status={statusOf(shown, now)} isTint />}
      sub={(shown) => <span>{couponWords(shown)}</span>}
      edit={{ right: "coupons:update", hrefOf: paths.coupons.update }}
      menu={(shown, trigger) => <CouponActions coupon={shown} isOnPage trigger={trigger} />}
      tabs={[{ label: "Customers", href: paths.coupons.show(id, "customers") }]}
    >
      {(shown) => (tab === "customers" ? <Customers coupon={shown} /> : <Overview coupon={shown} />)}
    </CatalogDetails>
  );
}

function Overview({ coupon }: { coupon: Coupon }) {
  return (
    <Section title="Settings">
      <Facts
        facts={[
          ["Takes off", couponWords(coupon)],
          ["More than once a customer", coupon.reusable ? "Yes" : "No"],
          ["Given until", coupon.expiration_at ? <Day key="until" value={coupon.expiration_at} /> : "No end"],
          ["Plans", coupon.plan_codes.join(", ") || (coupon.limited_plans ? null : "All")],
          [
            "Metrics",
            coupon.billable_metric_codes.join(", ") || (coupon.limited_billable_metrics ? null : "All"),
          ],
          ["Description", coupon.description],
          ["Created", <Day key="created" value={coupon.created_at} />],
          ["Ended", coupon.terminated_at && <Day key="ended" value={coupon.terminated_at} />],
        ]}
      />
    </Section>
  );
}

type Applied = Schema<"ListedAppliedCouponOutput">;

function Customers({ coupon }: { coupon: Coupon }) {
  const list = useListState();
  const can = useCan();
  const query = {
    "coupon_code[]": [coupon.code],
    ...(list.filters.status && { status: list.filters.status }),
  };
  const applied = useRows(list, (asked) =>
    read("/api/v1/applied_coupons", { params: { query: { ...query, ...asked } as never } }),
  );
  const [removed, setRemoved] = useOpenedRow(
    "remove",
    applied.pages.flatMap((page) => page.applied_coupons).filter((one) => one.status === "active"),
    (one) => one.lago_id,
    can("coupons:detach"),
  );
  return (
    <section className="sec">
      <List
        what="customers"
        controls={list}
        query={applied}
        rowsOf={(page) => page.applied_coupons}
        keyOf={({ lago_id }) => lago_id}
        hrefOf={(one) => paths.customers.show(one.external_customer_id, "coupons")}
        quickFilters={[
          { label: "All", filters: {} },
          { label: "Active", filters: { status: "active" } },
          { label: "Ended", filters: { status: "terminated" } },
        ]}
        columns={[
          {
            head: "Customer",
            fold: "f1",
            cell: (one) => <span title={one.external_customer_id}>{one.customer_name}</span>,
          },
          { head: "Status", fold: "f4", cell: (one) => <Status status={one.status} /> },
          { head: "Takes off", fold: "f2", cell: couponWords },
          {
            head: "Left",
            isNumber: true,
            fold: "f3",
            cell: (one) =>
              one.amount_cents_remaining !== null && one.percentage_rate === null ? (
                <Money cents={one.amount_cents_remaining} currency={one.amount_currency} />
              ) : one.frequency_duration_remaining !== null ? (
                countWords(one.frequency_duration_remaining, "invoice")
              ) : (
                <span className="dim">–</span>
              ),
          },
          { head: "Given", isLow: true, cell: (one) => <Day value={one.created_at} /> },
        ]}
        actions={(one) => (
          <ActionMenu
            label={`Actions of ${one.customer_name}`}
            actions={[
              {
                label: "Take coupon away",
                icon: <Ticket className="i" aria-hidden="true" />,
                onSelect: () => setRemoved(one),
                isDanger: true,
                isShown: can("coupons:detach") && one.status === "active",
              },
            ]}
          />
        )}
        empty={<Empty title="Nobody has it yet">It is given on the page of a customer.</Empty>}
      />
      {removed && <Remove applied={removed} onClose={() => setRemoved(null)} />}
    </section>
  );
}

function Remove({ applied, onClose }: { applied: Applied; onClose: () => void }) {
  const remove = useChange("delete", "/api/v1/customers/{external_id}/applied_coupons/{lago_id}", {
    done: "Coupon taken away",
    touches: ["/api/v1/applied_coupons", "/api/v1/customers"],
    onDone: onClose,
  });
  const path = { external_id: applied.external_customer_id, lago_id: applied.lago_id };
  return (
    <Confirm
      isOpen
      title={`Take “${applied.coupon_name}” from ${applied.customer_name}?`}
      verb="Take coupon away"
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params: { path } })}
    >
      <p>It takes nothing off the customer’s next invoices. What it took off stays.</p>
    </Confirm>
  );
}
