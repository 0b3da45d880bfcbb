import { read } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { CreateButton } from "@/app/shell";
import { Day } from "@/ui/amounts";
import { List, useListState, useRows } from "@/ui/list";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";
import type { Column } from "@/ui/table";
import { MetricActions } from "./actions";
import { type Metric, measure } from "./metric";

const columns: Column<Metric>[] = [
  {
    head: "Metric",
    fold: "f1",
    cell: (metric) => (
      <span className="who">
        <span className="trunc">
          <b className="trunc">{metric.name}</b>
          <span className="id">{metric.code}</span>
        </span>
      </span>
    ),
  },
  { head: "Measures", fold: "f3", cell: measure },
  { head: "Type", fold: "f4", cell: (metric) => (metric.recurring ? "Recurring" : "Metered") },
  {
    head: "Filters",
    isLow: true,
    cell: (metric) =>
      metric.filters.length > 0 ? (
        metric.filters.map(({ key }) => key).join(", ")
      ) : (
        <span className="dim">–</span>
      ),
  },
  { head: "Created", isLow: true, cell: (metric) => <Day value={metric.created_at} /> },
];

export function Metrics() {
  const can = useCan();
  const list = useListState();
  const metrics = useRows(list, (asked) =>
    read("/api/v1/billable_metrics", { params: { query: { ...asked, ...list.sought } } }),
  );
  const create = can("billable_metrics:create") && (
    <CreateButton href={paths.metrics.create()}>New metric</CreateButton>
  );
  return (
    <Page title="Billable metrics" actions={create}>
      <List
        what="metrics"
        controls={list}
        query={metrics}
        rowsOf={(page) => page.billable_metrics}
        columns={columns}
        keyOf={(metric) => metric.lago_id}
        hrefOf={(metric) => paths.metrics.show(metric.code)}
        actions={(metric) => <MetricActions metric={metric} />}
        isTall
        searchHint="Name or code"
        empty={
          <Empty title="No metrics yet" actions={create}>
            A metric says what of your events is counted: requests, gigabytes, seats.
          </Empty>
        }
      />
    </Page>
  );
}
