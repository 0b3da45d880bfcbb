/** The frame of a log: its list, and beside it the entry that is looked at. */
import type { ReactNode } from "react";
import type { Schema } from "@/api/client";
import { useOrganization } from "@/app/session";
import type { Difference } from "@/lib/changes";
import { Moment } from "@/ui/amounts";
import { type Filter, List, type ListControls, type ListProps } from "@/ui/list";
import { Developers } from "./layout";

interface LogPageProps<Row, Page extends { meta: Schema<"Meta"> }>
  extends Pick<ListProps<Row, Page>, "what" | "query" | "rowsOf" | "columns" | "keyOf" | "empty"> {
  title: string;
  controls: ListControls;
  /** Besides those by days. */
  filters: readonly Filter[];
  /** An entry in full. */
  detail: (entry: DetailProps) => ReactNode;
}

/** Which entry is shown in full, in whose time, and the way back to the list alone. */
export interface DetailProps {
  id: string;
  zone: string;
  onClose: () => void;
}

const DATES: readonly Filter[] = [
  { key: "from_date", label: "From", kind: "date" },
  { key: "to_date", label: "Until", kind: "date" },
];

export function LogPage<Row extends { logged_at: string }, Page extends { meta: Schema<"Meta"> }>(
  props: LogPageProps<Row, Page>,
) {
  const { title, controls, columns, filters, detail, ...list } = props;
  const { timezone } = useOrganization();
  const { open, setOpen } = controls;
  const time = { head: "Time", cell: (row: Row) => <Moment value={row.logged_at} zone={timezone} /> };
  return (
    <Developers
      title={title}
      detail={open && detail({ id: open, zone: timezone, onClose: () => setOpen(undefined) })}
    >
      <List
        {...list}
        controls={controls}
        columns={[...columns, { ...time, fold: columns.some((one) => one.fold === "f2") ? "f3" : "f2" }]}
        onOpen={(row) => setOpen(list.keyOf(row))}
        chosen={open}
        filters={[...filters, ...DATES]}
      />
    </Developers>
  );
}

/** What was another before. */
export function Changes({ changes }: { changes: readonly Difference[] }) {
  if (changes.length === 0) return null;
  return (
    <div className="changes">
      <h3>Changes</h3>
      {changes.map(({ where, before, after }) => (
        <div className="change" key={where}>
          <span className="dim">{where}</span>
          <span className="was">{before}</span>
          <span>{after}</span>
        </div>
      ))}
    </div>
  );
}
