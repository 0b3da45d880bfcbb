import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { CreateButton } from "@/app/shell";
import { useUses } from "@/pages/catalog/uses";
import { Day, Money } from "@/ui/amounts";
import { List, useListState, useRows } from "@/ui/list";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";
import type { Column } from "@/ui/table";
import { AddOnActions } from "./actions";

const columns = (countOf: (code: string) => number | undefined): Column<Schema<"AddOnOutput">>[] => [
  {
    head: "Add-on",
    fold: "f1",
    cell: (addOn) => (
      <span className="who">
        <span className="trunc">
          <b className="trunc">{addOn.name}</b>
          <span className="id">{addOn.code}</span>
        </span>
      </span>
    ),
  },
  {
    head: "Price",
    fold: "f2",
    isNumber: true,
    cell: (addOn) => <Money cents={addOn.amount_cents} currency={addOn.amount_currency} />,
  },
  {
    head: "Taxes",
    fold: "f3",
    cell: (addOn) => addOn.taxes.map(({ name }) => name).join(", ") || <span className="dim">–</span>,
  },
  {
    head: "Customers",
    isNumber: true,
    isLow: true,
    cell: ({ code }) => countOf(code)?.toLocaleString() ?? <span className="dim">–</span>,
  },
  { head: "Created", isLow: true, cell: (addOn) => <Day value={addOn.created_at} /> },
];

export function AddOns() {
  const can = useCan();
  const list = useListState();
  const addOns = useRows(list, (asked) =>
    read("/api/v1/add_ons", { params: { query: { ...asked, ...list.sought } } }),
  );
  const countOf = useUses(
    "add_ons",
    addOns.pages.flatMap((page) => page.add_ons.map(({ code }) => code)),
  );
  const create = can("addons:create") && <CreateButton href={paths.addOns.create()}>New add-on</CreateButton>;
  return (
    <Page title="Add-ons" actions={create}>
      <List
        what="add-ons"
        controls={list}
        query={addOns}
        rowsOf={(page) => page.add_ons}
        columns={columns(countOf)}
        keyOf={({ lago_id }) => lago_id}
        hrefOf={({ code }) => paths.addOns.show(code)}
        actions={(addOn) => <AddOnActions addOn={addOn} />}
        isTall
        searchHint="Name or code"
        empty={
          <Empty title="No add-ons yet" actions={create}>
            An add-on is billed by itself: once on a one-off invoice, or with each period of a plan.
          </Empty>
        }
      />
    </Page>
  );
}
