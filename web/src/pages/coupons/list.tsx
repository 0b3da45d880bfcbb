import { read } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useNow } from "@/app/session";
import { CreateButton } from "@/app/shell";
import { useUses } from "@/pages/catalog/uses";
import { Day } from "@/ui/amounts";
import { List, useListState, useRows } from "@/ui/list";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";
import { Status } from "@/ui/status";
import type { Column } from "@/ui/table";
import { CouponActions } from "./actions";
import { type Coupon, couponWords, statusOf } from "./coupon";

const columns = (now: number, countOf: (code: string) => number | undefined): Column<Coupon>[] => [
  {
    head: "Coupon",
    fold: "f1",
    cell: (coupon) => (
      <span className="who">
        <span className="trunc">
          <b className="trunc">{coupon.name}</b>
          <span className="id">{coupon.code}</span>
        </span>
      </span>
    ),
  },
  { head: "Status", fold: "f4", cell: (coupon) => <Status status={statusOf(coupon, now)} /> },
  { head: "Takes off", fold: "f2", cell: couponWords },
  {
    head: "Limited to",
    isLow: true,
    cell: (coupon) =>
      [...coupon.plan_codes, ...coupon.billable_metric_codes].join(", ") || <span className="dim">–</span>,
  },
  {
    head: "Customers",
    isNumber: true,
    isLow: true,
    cell: (coupon) => countOf(coupon.code)?.toLocaleString() ?? <span className="dim">–</span>,
  },
  { head: "Given until", fold: "f3", cell: (coupon) => <Day value={coupon.expiration_at} /> },
  { head: "Created", isLow: true, cell: (coupon) => <Day value={coupon.created_at} /> },
];

export function Coupons() {
  const can = useCan();
  const now = useNow();
  const list = useListState();
  const coupons = useRows(list, (asked) =>
    read("/api/v1/coupons", { params: { query: { ...asked, ...list.sought } } }),
  );
  const countOf = useUses(
    "coupons",
    coupons.pages.flatMap((page) => page.coupons.map(({ code }) => code)),
  );
  const create = can("coupons:create") && (
    <CreateButton href={paths.coupons.create()}>New coupon</CreateButton>
  );
  return (
    <Page title="Coupons" actions={create}>
      <List
        what="coupons"
        controls={list}
        query={coupons}
        rowsOf={(page) => page.coupons}
        columns={columns(now, countOf)}
        keyOf={({ lago_id }) => lago_id}
        hrefOf={({ code }) => paths.coupons.show(code)}
        actions={(coupon) => <CouponActions coupon={coupon} />}
        isTall
        searchHint="Name or code"
        empty={
          <Empty title="No coupons yet" actions={create}>
            A coupon takes an amount or a share off the invoices of whoever has it.
          </Empty>
        }
      />
    </Page>
  );
}
