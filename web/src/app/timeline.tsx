/** What happened to somebody or something, newest first: by whom, when, and what it changed; in short beside a page, in full in a tab. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { read, type Schema } from "@/api/client";
import { currencyOf, differencesOf } from "@/lib/changes";
import { money } from "@/lib/money";
import { keyWords, typeWords } from "@/lib/words";
import { Moment } from "@/ui/amounts";
import { Button } from "@/ui/basics";
import { Empty, Loaded, Skeleton } from "@/ui/states";

type Entry = Schema<"ActivityLogOutput">;

/** Whose: as the wire filters by it. */
export interface Whose {
  external_customer_id?: string;
  external_subscription_id?: string;
  resource_ids?: string[];
}

/** The newest entries of somebody or something. */
export function timelineOf({ resource_ids, ...whose }: Whose, size: number, page = 1) {
  const query = { ...whose, ...(resource_ids && { "resource_ids[]": resource_ids }), per_page: size, page };
  return read("/api/v1/activity_logs", { params: { query: query as never } });
}

/** The last few, beside the page. */
export function ShortTimeline({ whose, zone }: { whose: Whose; zone: string | undefined }) {
  const logs = useQuery(timelineOf(whose, 6));
  return (
    <Loaded query={logs} what="Timeline" skeleton={<Skeleton width="80%" />}>
      {({ activity_logs }) =>
        activity_logs.length === 0 ? (
          <p className="dim">Nothing has happened lately.</p>
        ) : (
          <Entries entries={activity_logs} zone={zone} />
        )
      }
    </Loaded>
  );
}

const PAGE = 20;

/** All of them, twenty more at a time. */
export function Timeline({ whose, zone }: { whose: Whose; zone?: string | undefined }) {
  const [count, setCount] = useState(1);
  const pages = useQueries({
    queries: Array.from({ length: count }, (_, index) => timelineOf(whose, PAGE, index + 1)),
  });
  const first = pages[0]!;
  return (
    <section className="sec">
      <Loaded query={first} what="Activity">
        {({ activity_logs, meta }) =>
          activity_logs.length === 0 ? (
            <Empty title="Nothing has happened here lately">
              Changes are written down as they happen, and shown for as long as logs are kept.
            </Empty>
          ) : (
            <>
              <Entries
                entries={pages.flatMap((page) => page.data?.activity_logs ?? [])}
                zone={zone}
                hasChanges
              />
              {meta.total_pages > count && (
                <Button
                  size="sm"
                  isBusy={pages.some((page) => page.isFetching)}
                  onClick={() => setCount(count + 1)}
                >
                  Show earlier
                </Button>
              )}
            </>
          )
        }
      </Loaded>
    </section>
  );
}

interface EntriesProps {
  entries: readonly Entry[];
  zone: string | undefined;
  hasChanges?: boolean;
}

function Entries({ entries, zone, hasChanges }: EntriesProps) {
  return (
    <ol className="tl">
      {entries.map((entry) => (
        <li key={entry.activity_id}>
          <span className={`dot ${toneOf(entry.activity_type)}`} />
          <div>
            {typeWords(entry.activity_type)} <b className="med">{subjectOf(entry)}</b>
          </div>
          <div className="t">
            <Moment value={entry.logged_at} {...(zone && { zone })} />, {byWhom(entry)}
          </div>
          {hasChanges && <Changes entry={entry} />}
        </li>
      ))}
    </ol>
  );
}

function Changes({ entry }: { entry: Entry }) {
  const changes = differencesOf(entry.activity_object_changes, currencyOf(entry));
  if (changes.length === 0) return null;
  return (
    <ul className="small ink2">
      {changes.map(({ where, before, after }) => (
        <li key={where} className="wrap">
          {where}: <span className="dim">{before}</span> → {after}
        </li>
      ))}
    </ul>
  );
}

function byWhom(entry: Entry): string {
  if (entry.user_email) return entry.user_email;
  if (entry.api_key) return `over the API (${keyWords(entry.api_key)})`;
  return { api: "over the API", front: "in the app", system: "by itself" }[entry.activity_source];
}

function toneOf(type: string): string {
  if (/failed|failure|overdue|dispute/.test(type)) return "bad";
  if (/alert|terminated|voided|deleted/.test(type)) return "warn";
  if (type === "invoice.created" || type === "invoice.finalized") return "acc";
  return /payment|wallet|created|started|finalized/.test(type) ? "ok" : "";
}

/** What an entry is about, and how much it was, as far as it says. */
function subjectOf(entry: Entry): string {
  const about = (entry.activity_object ?? {}) as Record<string, unknown>;
  const name = about.number ?? about.name ?? about.code ?? about.external_id;
  const cents = about.total_amount_cents;
  const currency = currencyOf(entry);
  const amount = typeof cents === "number" && currency ? money(cents, currency) : null;
  return [typeof name === "string" ? name : null, amount].filter(Boolean).join(", ");
}
