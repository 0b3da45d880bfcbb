import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { RotateCw } from "lucide-react";
import { useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { countWords } from "@/lib/words";
import { Button, Section, Tally } from "@/ui/basics";
import { Confirm } from "@/ui/overlays";
import { Empty, Loaded } from "@/ui/states";
import { Developers } from "./layout";
import { REASONS } from "./reasons";

type Cause = Schema<"UnmatchedCountOutput">;

export function Unmatched() {
  const summary = useQuery(
    read("/api/v1/events/unmatched_summary", { params: { query: { per_page: "100" } } }),
  );
  const [chosen, setChosen] = useState<Cause | null>(null);
  const replay = useChange("post", "/api/v1/events/replay", {
    done: ({ replay: done }) =>
      `${done.matched.toLocaleString()} of ${done.examined.toLocaleString()} events count now`,
    onDone: () => setChosen(null),
  });
  return (
    <Developers title="Unmatched events">
      <Loaded query={summary} what="Unmatched events">
        {({ unmatched_summary: causes, meta }) =>
          causes.length === 0 ? (
            <Empty title="Every event counts">
              Events that match no metric, subscription or charge would wait here.
            </Empty>
          ) : (
            [...byReason(causes)].map(([reason, ofReason]) => (
              <Section
                key={reason}
                title={REASONS[reason]?.title ?? reason}
                meta={`${countWords(total(ofReason), "event")}${meta.total_pages > 1 ? " shown" : ""}`}
              >
                <p className="dev-note" style={{ margin: "0 0 8px" }}>
                  {REASONS[reason]?.text} {REASONS[reason]?.remedy}
                </p>
                <div className="causes">
                  {ofReason.map((cause) => (
                    <div className="cause" key={`${cause.code}/${cause.external_subscription_id}`}>
                      <Link to={linkTo(cause)}>
                        <b className="med id">{cause.code}</b>
                        <div className="small dim id">
                          {cause.external_subscription_id ?? "no subscription"}
                        </div>
                      </Link>
                      <span className="count">{cause.events_count.toLocaleString()}</span>
                      <Button size="sm" onClick={() => setChosen(cause)}>
                        <RotateCw className="i" aria-hidden="true" />
                        Replay {cause.events_count.toLocaleString()}
                      </Button>
                    </div>
                  ))}
                </div>
              </Section>
            ))
          )
        }
      </Loaded>
      <Confirm
        title={`Replay ${countWords(chosen?.events_count ?? 0, "event")} of “${chosen?.code}”?`}
        verb="Replay events"
        keep="Not yet"
        look="primary"
        isOpen={chosen !== null}
        isBusy={replay.isPending}
        onClose={() => setChosen(null)}
        onConfirm={() =>
          chosen &&
          replay.mutate({
            body: {
              replay: { code: chosen.code, external_subscription_id: chosen.external_subscription_id },
            },
          })
        }
      >
        <p>
          Each is looked at again as if it had just come, with its own time. Those that match now count in
          usage, drafts and balances; the others stay here. Invoices that are final do not change.
        </p>
        {replay.isPending && <Tally count={3} />}
      </Confirm>
    </Developers>
  );
}

function byReason(causes: readonly Cause[]): Map<string, Cause[]> {
  return Map.groupBy(causes, (cause) => cause.unmatched_reason as string);
}

function total(causes: readonly Cause[]): number {
  return causes.reduce((sum, cause) => sum + cause.events_count, 0);
}

function linkTo(cause: Cause): string {
  const query = new URLSearchParams({ unmatched_reason: cause.unmatched_reason as string, code: cause.code });
  if (cause.external_subscription_id) query.set("external_subscription_id", cause.external_subscription_id);
  return `${paths.developers("events")}?${query}`;
}
