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
import { PlanActions } from "./actions";
import { intervalWord } from "./draft";

type Plan = Schema<"PlanListOutput">;

const columns = (countOf: (code: string) => number | undefined): Column<Plan>[] => [
  {
    head: "Plan",
    fold: "f1",
    cell: (plan) => (
      <span className="who">
        <span className="trunc">
          <b className="trunc">{plan.name}</b>
          <span className="id">{plan.code}</span>
        </span>
      </span>
    ),
  },
  {
    head: "Fee",
    fold: "f2",
    isNumber: true,
    cell: (plan) => <Money cents={plan.amount_cents} currency={plan.amount_currency} />,
  },
  { head: "Billed", fold: "f3", cell: (plan) => intervalWord(plan.interval) },
  {
    head: "Usage charges",
    isNumber: true,
    isLow: true,
    cell: (plan) => plan.charges.length || <span className="dim">–</span>,
  },
  {
    head: "Subscriptions",
    fold: "f4",
    isNumber: true,
    cell: (plan) => countOf(plan.code)?.toLocaleString() ?? <span className="dim">–</span>,
  },
  { head: "Created", isLow: true, cell: (plan) => <Day value={plan.created_at} /> },
];

export function Plans() {
  const can = useCan();
  const list = useListState();
  const plans = useRows(list, (asked) =>
    read("/api/v1/plans", { params: { query: { ...asked, ...list.sought } } }),
  );
  const countOf = useUses(
    "plans",
    plans.pages.flatMap((page) => page.plans.map(({ code }) => code)),
  );
  const create = can("plans:create") && <CreateButton href={paths.plans.create()}>New plan</CreateButton>;
  return (
    <Page title="Plans" actions={create}>
      <List
        what="plans"
        controls={list}
        query={plans}
        rowsOf={(page) => page.plans}
        columns={columns(countOf)}
        keyOf={(plan) => plan.lago_id}
        hrefOf={(plan) => paths.plans.show(plan.code)}
        actions={(plan) => <PlanActions plan={plan} />}
        isTall
        searchHint="Name or code"
        empty={
          <Empty title="No plans yet" actions={create}>
            A plan is a fee and prices for what your metrics count.
          </Empty>
        }
      />
    </Page>
  );
}
