import { RotateCw } from "lucide-react";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { countWords } from "@/lib/words";
import { Button, Tally } from "@/ui/basics";
import { List, useListState, useRows } from "@/ui/list";
import { useOpenedRow } from "@/ui/opened";
import { Confirm } from "@/ui/overlays";
import { Empty } from "@/ui/states";
import { Developers } from "./layout";
import { REASONS } from "./reasons";

type Cause = Schema<"UnmatchedCountOutput">;

const keyOf = (cause: Cause) =>
  [cause.unmatched_reason, cause.code, cause.external_subscription_id].join("/");

export function Unmatched() {
  const list = useListState();
  const summary = useRows(list, (asked) =>
    read("/api/v1/events/unmatched_summary", { params: { query: { ...list.filters, ...asked } as never } }),
  );
  const shown = summary.pages.flatMap((page) => page.unmatched_summary);
  const [chosen, setChosen] = useOpenedRow("replay", shown, keyOf);
  const replay = useChange("post", "/api/v1/events/replay", {
    done: ({ replay: done }) =>
      `${done.matched.toLocaleString()} of ${done.examined.toLocaleString()} events count now`,
    onDone: () => setChosen(null),
  });
  const reason = REASONS[list.filters.unmatched_reason ?? ""];
  return (
    <Developers title="Unmatched events">
      {reason && (
        <p className="dev-note" style={{ marginBottom: 12 }}>
          {reason.text} {reason.remedy}
        </p>
      )}
      <List
        what="causes"
        controls={list}
        query={summary}
        rowsOf={(page) => page.unmatched_summary}
        keyOf={keyOf}
        hrefOf={linkTo}
        isTall
        filters={[
          {
            key: "unmatched_reason",
            label: "Why",
            options: Object.entries(REASONS).map(([value, one]) => ({ value, label: one.title })),
          },
          { key: "code", label: "Metric's code" },
          { key: "external_subscription_id", label: "Subscription" },
        ]}
        columns={[
          {
            head: "Events of",
            fold: "f1",
            cell: (cause) => (
              <>
                <b className="med id">{cause.code}</b>
                <span className="sub id">{cause.external_subscription_id ?? "no subscription"}</span>
              </>
            ),
          },
          { head: "Why", fold: "f3", cell: whyOf },
          {
            head: "Events",
            isNumber: true,
            fold: "f2",
            cell: (cause) => cause.events_count.toLocaleString(),
          },
          {
            // No action of the row: those are not there where rows fold.
            head: <span className="sr">Replay</span>,
            isNumber: true,
            fold: "f4",
            width: 110,
            cell: (cause) => (
              <Button
                size="sm"
                aria-label={`Replay ${countWords(cause.events_count, "event")} of ${cause.code}`}
                onClick={() => setChosen(cause)}
              >
                <RotateCw className="i" aria-hidden="true" />
                Replay
              </Button>
            ),
          },
        ]}
        empty={
          <Empty title="Every event counts">
            Events that match no metric, subscription or charge would wait here.
          </Empty>
        }
      />
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

/** Why they count nowhere, in words; what to do about it beside the pointer. */
function whyOf(cause: Cause) {
  const reason = REASONS[cause.unmatched_reason as string];
  return (
    <span title={reason && `${reason.text} ${reason.remedy}`}>{reason?.title ?? cause.unmatched_reason}</span>
  );
}

function linkTo(cause: Cause): string {
  const query = new URLSearchParams({ unmatched_reason: cause.unmatched_reason as string, code: cause.code });
  if (cause.external_subscription_id) query.set("external_subscription_id", cause.external_subscription_id);
  return `${paths.developers("events")}?${query}`;
}
