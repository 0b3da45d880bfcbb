import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { CreateButton } from "@/app/shell";
import { useUses } from "@/pages/catalog/uses";
import { Day } from "@/ui/amounts";
import { List, useListState, useRows } from "@/ui/list";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";
import type { Column } from "@/ui/table";
import { FeatureActions } from "./actions";

const columns = (countOf: (code: string) => number | undefined): Column<Schema<"FeatureOutput">>[] => [
  {
    head: "Feature",
    fold: "f1",
    cell: (feature) => (
      <span className="who">
        <span className="trunc">
          <b className="trunc">{feature.name || feature.code}</b>
          <span className="id">{feature.code}</span>
        </span>
      </span>
    ),
  },
  {
    head: "Privileges",
    fold: "f3",
    cell: (feature) =>
      feature.privileges.map(({ name, code }) => name || code).join(", ") || <span className="dim">–</span>,
  },
  {
    head: "Subscriptions",
    isNumber: true,
    fold: "f2",
    cell: ({ code }) => countOf(code)?.toLocaleString() ?? <span className="dim">–</span>,
  },
  { head: "Created", fold: "f4", cell: (feature) => <Day value={feature.created_at} /> },
];

export function Features() {
  const can = useCan();
  const list = useListState();
  const features = useRows(list, (asked) =>
    read("/api/v1/features", { params: { query: { ...asked, ...list.sought } } }),
  );
  const countOf = useUses(
    "features",
    features.pages.flatMap((page) => page.features.map(({ code }) => code)),
  );
  const create = can("features:create") && (
    <CreateButton href={paths.features.create()}>New feature</CreateButton>
  );
  return (
    <Page title="Features" actions={create}>
      <List
        what="features"
        controls={list}
        query={features}
        rowsOf={(page) => page.features}
        columns={columns(countOf)}
        keyOf={({ code }) => code}
        hrefOf={({ code }) => paths.features.show(code)}
        actions={(feature) => <FeatureActions feature={feature} />}
        isTall
        searchHint="Name or code"
        empty={
          <Empty title="No features yet" actions={create}>
            A feature is what a plan grants beside its prices: single sign-on, a number of seats, an audit
            log.
          </Empty>
        }
      />
    </Page>
  );
}
