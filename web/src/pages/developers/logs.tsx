import { useQuery } from "@tanstack/react-query";
import { read, type Schema } from "@/api/client";
import { currencyOf, differencesOf } from "@/lib/changes";
import { typeWords } from "@/lib/words";
import { Moment } from "@/ui/amounts";
import { Copy, Facts } from "@/ui/basics";
import { Json } from "@/ui/code";
import { useListState, useRows } from "@/ui/list";
import { Empty, Loaded } from "@/ui/states";
import { Status } from "@/ui/status";
import type { Column } from "@/ui/table";
import { ACTIVITY_TYPES, OBJECTS } from "./activities";
import { Detail } from "./detail";
import { doerOf, useKeyFilter, useMemberFilter } from "./doers";
import { Changes, type DetailProps, LogPage } from "./log-page";

type ApiLog = Schema<"ApiLogOutput">;
type ActivityLog = Schema<"ActivityLogOutput">;

export function ApiLogs() {
  const list = useListState();
  const byKey = useKeyFilter();
  const logs = useRows(list, (asked) =>
    read("/api/v1/api_logs", { params: { query: { ...asked, ...list.filters } as never } }),
  );
  const columns: Column<ApiLog>[] = [
    {
      head: "Call",
      fold: "f1",
      cell: (log) => (
        <span>
          <span className="method dim">{log.http_method}</span> <span className="id">{log.request_path}</span>
        </span>
      ),
    },
    { head: "Answer", fold: "f2", cell: (log) => <AnswerStatus status={log.http_status} /> },
    { head: "Client", isLow: true, cell: (log) => <span className="dim">{log.client}</span> },
  ];
  return (
    <LogPage
      title="API logs"
      detail={(entry) => <ApiLogDetail {...entry} />}
      what="calls"
      controls={list}
      query={logs}
      rowsOf={(page) => page.api_logs}
      columns={columns}
      keyOf={(log) => log.request_id}
      filters={[
        {
          key: "http_methods[]",
          label: "Method",
          options: ["post", "put", "patch", "delete"].map((value) => ({
            value,
            label: value.toUpperCase(),
          })),
        },
        {
          key: "http_statuses[]",
          label: "Answer",
          options: [
            { value: "succeeded", label: "Succeeded" },
            { value: "failed", label: "Failed" },
          ],
        },
        { key: "request_paths", label: "Path" },
        ...byKey,
      ]}
      empty={
        <Empty title="No calls yet">Changes that are made with an API key are logged here, whole.</Empty>
      }
    />
  );
}

function AnswerStatus({ status }: { status: number }) {
  if (status < 400) return <Status status="succeeded" word={String(status)} />;
  return <Status status="failed" word={String(status)} tone={status >= 500 ? "bad" : "warn"} />;
}

function ApiLogDetail({ id, zone, onClose }: DetailProps) {
  const log = useQuery(read("/api/v1/api_logs/{request_id}", { params: { path: { request_id: id } } }));
  return (
    <Detail title="Call" onClose={onClose}>
      <Loaded query={log} what="The call">
        {({ api_log: shown }) => (
          <>
            <Facts
              facts={[
                ["Call", `${shown.http_method.toUpperCase()} ${shown.request_path}`],
                ["Answer", <AnswerStatus key="a" status={shown.http_status} />],
                ["Request", <Copy key="r" text={shown.request_id} what="request ID" />],
                ["Client", shown.client],
                ["From", shown.request_origin],
                ["Time", <Moment key="t" value={shown.logged_at} zone={zone} />],
              ]}
            />
            <h3>Request</h3>
            <Json value={shown.request_body} label="Request" />
            <h3>Answer</h3>
            <Json value={shown.request_response} label="Answer" />
          </>
        )}
      </Loaded>
    </Detail>
  );
}

const TYPES = ACTIVITY_TYPES.map((value) => ({ value, label: typeWords(value) }));

const byWhom = (log: ActivityLog): string => doerOf(log) ?? SOURCES[log.activity_source]!;

const SOURCES: Record<string, string> = { api: "API", front: "App", system: "Tallymark" };

export function ActivityLogs() {
  const list = useListState();
  const byKey = useKeyFilter();
  const byMember = useMemberFilter();
  const logs = useRows(list, (asked) =>
    read("/api/v1/activity_logs", { params: { query: { ...asked, ...list.filters } as never } }),
  );
  const columns: Column<ActivityLog>[] = [
    { head: "What", fold: "f1", cell: (log) => <b className="med">{typeWords(log.activity_type)}</b> },
    { head: "By", fold: "f3", cell: byWhom },
    {
      head: "Customer",
      isLow: true,
      cell: (log) => <span className="id">{log.external_customer_id ?? <span className="dim">–</span>}</span>,
    },
  ];
  return (
    <LogPage
      title="Activity"
      detail={(entry) => <ActivityDetail {...entry} />}
      what="activities"
      controls={list}
      query={logs}
      rowsOf={(page) => page.activity_logs}
      columns={columns}
      keyOf={(log) => log.activity_id}
      filters={[
        { key: "activity_types[]", label: "Type", options: TYPES },
        {
          key: "resource_types[]",
          label: "Object",
          options: Object.entries(OBJECTS).map(([value, label]) => ({ value, label })),
        },
        {
          key: "activity_sources[]",
          label: "Source",
          options: Object.entries(SOURCES).map(([value, label]) => ({ value, label })),
        },
        byMember,
        ...byKey,
        { key: "external_customer_id", label: "Customer" },
        { key: "external_subscription_id", label: "Subscription" },
        { key: "resource_ids[]", label: "Object's ID" },
      ]}
      empty={<Empty title="Nothing has happened yet" />}
    />
  );
}

function ActivityDetail({ id, zone, onClose }: DetailProps) {
  const log = useQuery(
    read("/api/v1/activity_logs/{activity_id}", { params: { path: { activity_id: id } } }),
  );
  return (
    <Detail title={log.data ? typeWords(log.data.activity_log.activity_type) : "Activity"} onClose={onClose}>
      <Loaded query={log} what="The activity">
        {({ activity_log: shown }) => (
          <>
            <Facts
              facts={[
                ["By", byWhom(shown)],
                ["Object", OBJECTS[shown.resource_type] ?? shown.resource_type],
                ["ID", <Copy key="i" text={shown.resource_id} what="ID" />],
                ["Customer", shown.external_customer_id],
                ["Subscription", shown.external_subscription_id],
                ["Time", <Moment key="t" value={shown.logged_at} zone={zone} />],
              ]}
            />
            <Changes changes={differencesOf(shown.activity_object_changes, currencyOf(shown))} />
            {shown.activity_object && (
              <>
                <h3>Object</h3>
                <Json value={shown.activity_object} label="Object" />
              </>
            )}
          </>
        )}
      </Loaded>
    </Detail>
  );
}
