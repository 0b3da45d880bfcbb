import { useQuery } from "@tanstack/react-query";
import { read, type Schema } from "@/api/client";
import { useNow } from "@/app/session";
import { differencesOf } from "@/lib/changes";
import { isoDay } from "@/lib/dates";
import { typeWords } from "@/lib/words";
import { Moment } from "@/ui/amounts";
import { Facts } from "@/ui/basics";
import { Json } from "@/ui/code";
import { useListState, useRows } from "@/ui/list";
import { Empty, Loaded } from "@/ui/states";
import type { Column } from "@/ui/table";
import { Detail } from "./detail";
import { doerOf, useKeyFilter, useMemberFilter } from "./doers";
import { Changes, type DetailProps, LogPage } from "./log-page";
import { readResources, SECURITY_EVENTS, SECURITY_TYPES } from "./security";

type SecurityLog = Schema<"SecurityLogOutput">;

export function SecurityLogs() {
  const list = useListState();
  const byKey = useKeyFilter();
  const byMember = useMemberFilter();
  // The API wants an end: tomorrow, by whichever clock is ahead.
  const to_date = isoDay(new Date(Math.max(useNow(), Date.now()) + 86_400_000).toISOString());
  const logs = useRows(list, (asked) =>
    read("/api/v1/security_logs", {
      params: { query: { to_date, ...asked, ...list.filters } as never },
    }),
  );
  const columns: Column<SecurityLog>[] = [
    { head: "What", fold: "f1", cell: (log) => <b className="med">{typeWords(log.log_event)}</b> },
    {
      head: "About",
      isLow: true,
      cell: (log) => readResources(log.resources).name ?? <span className="dim">–</span>,
    },
    { head: "By", fold: "f3", cell: (log) => doerOf(log) ?? <span className="dim">–</span> },
  ];
  return (
    <LogPage
      title="Security"
      detail={(entry) => <SecurityDetail {...entry} />}
      what="entries"
      controls={list}
      query={logs}
      rowsOf={(page) => page.security_logs}
      columns={columns}
      keyOf={(log) => log.log_id}
      filters={[
        {
          key: "log_types[]",
          label: "About",
          options: Object.entries(SECURITY_TYPES).map(([value, label]) => ({ value, label })),
        },
        {
          key: "log_events[]",
          label: "Event",
          options: SECURITY_EVENTS.map((value) => ({ value, label: typeWords(value) })),
        },
        byMember,
        ...byKey,
      ]}
      empty={<Empty title="Nothing has happened yet" />}
    />
  );
}

function SecurityDetail({ id, zone, onClose }: DetailProps) {
  const log = useQuery(read("/api/v1/security_logs/{log_id}", { params: { path: { log_id: id } } }));
  return (
    <Detail title={log.data ? typeWords(log.data.security_log.log_event) : "Event"} onClose={onClose}>
      <Loaded query={log} what="The event">
        {({ security_log: { resources, device_info: device, ...shown } }) => {
          const { about, changes } = readResources(resources);
          return (
            <>
              <Facts
                facts={[
                  ["By", doerOf(shown)],
                  ["From", device.ip_address],
                  ["With", [device.browser, device.os].filter(Boolean).join(", ") || device.user_agent],
                  ["Time", <Moment key="t" value={shown.logged_at} zone={zone} />],
                ]}
              />
              <Changes changes={differencesOf(changes)} />
              <h3>About</h3>
              <Json value={about} label="About" />
            </>
          );
        }}
      </Loaded>
    </Detail>
  );
}
