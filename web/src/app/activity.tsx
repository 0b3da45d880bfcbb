/** What was done to an object, newest first: by whom, when, and what it changed. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { read, type Schema } from "@/api/client";
import { Moment } from "@/ui/amounts";
import { Button } from "@/ui/basics";
import { Empty, Loaded } from "@/ui/states";

type Entry = Schema<"ActivityLogOutput">;

const PAGE = 20;

/** The activity of one object, by its lago id. */
export function Activity({ id, zone }: { id: string; zone?: string }) {
  const [size, setSize] = useState(PAGE);
  const query = { "resource_ids[]": [id], per_page: size } as never;
  const logs = useQuery(read("/api/v1/activity_logs", { params: { query } }));
  return (
    <Loaded query={logs} what="Activity">
      {({ activity_logs, meta }) =>
        activity_logs.length === 0 ? (
          <Empty title="Nothing has been done here yet">Changes are written down from now on.</Empty>
        ) : (
          <section className="sec">
            <ol className="tl">
              {activity_logs.map((entry) => (
                <ActivityLine key={entry.activity_id} entry={entry} zone={zone} />
              ))}
            </ol>
            {meta.total_count > activity_logs.length && (
              <Button size="sm" isBusy={logs.isFetching} onClick={() => setSize(size + PAGE)}>
                Show earlier
              </Button>
            )}
          </section>
        )
      }
    </Loaded>
  );
}

function ActivityLine({ entry, zone }: { entry: Entry; zone?: string }) {
  const changes = changesOf(entry);
  return (
    <li>
      <span className={`dot ${toneOf(entry.activity_type)}`} />
      <b className="med">{titleOf(entry.activity_type)}</b>{" "}
      <span className="dim">
        {entry.user_email ? `by ${entry.user_email}` : SOURCES[entry.activity_source]}
      </span>
      <div className="t">
        <Moment value={entry.logged_at} zone={zone} />
      </div>
      {changes.length > 0 && (
        <ul className="small ink2">
          {changes.map(([field, before, after]) => (
            <li key={field} className="wrap">
              {field.replaceAll("_", " ")}: <span className="dim">{before}</span> → {after}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

const SOURCES = { api: "over the API", front: "in the app", system: "by Tallymark" } as const;

function toneOf(type: string): string {
  if (/deleted|terminated|voided|failed/.test(type)) return "bad";
  return /created|started|finalized/.test(type) ? "ok" : "";
}

/** "billable_metric.updated" is "Billable metric updated". */
export function titleOf(type: string): string {
  const words = type.replace(".", " ").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What an entry changed, in a line a field; long values are only named. */
function changesOf(entry: Entry): [field: string, before: string, after: string][] {
  return Object.entries(entry.activity_object_changes as Record<string, unknown>).flatMap(
    ([field, pair]): [string, string, string][] => {
      if (!Array.isArray(pair) || pair.length !== 2 || field === "updated_at") return [];
      return [[field, short(pair[0]), short(pair[1])]];
    },
  );
}

function short(value: unknown): string {
  if (value === null || value === undefined || value === "") return "nothing";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 90 ? `${text.slice(0, 88)}…` : text;
}
