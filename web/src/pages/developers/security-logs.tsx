import { useQuery } from "@tanstack/react-query";
import { read, type Schema } from "@/api/client";
import { useNow, useOrganization } from "@/app/session";
import { differencesOf } from "@/lib/changes";
import { isoDay } from "@/lib/dates";
import { typeWords } from "@/lib/words";
import { Moment } from "@/ui/amounts";
import { Facts } from "@/ui/basics";
import { Json } from "@/ui/code";
import { List, useListState, useRows } from "@/ui/list";
import { Empty, Loaded } from "@/ui/states";
import type { Column } from "@/ui/table";
import { Detail } from "./detail";
import { useKeyFilter, useMemberFilter } from "./doers";
import { Developers } from "./layout";
import { Changes, DATES } from "./logs";
import { readResources, SECURITY_EVENTS, SECURITY_TYPES } from "./security";

type SecurityLog = Schema<"SecurityLogOutput">;

export function SecurityLogs() {
  const { timezone } = useOrganization();
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
    { head: "By", fold: "f3", cell: (log) => log.user_email ?? <span className="dim">–</span> },
    { head: "Time", fold: "f2", cell: (log) => <Moment value={log.logged_at} zone={timezone} /> },
  ];
  return (
    <Developers
      title="Security"
      detail={
        list.open && <SecurityDetail id={list.open} zone={timezone} onClose={() => list.setOpen(undefined)} />
      }
    >
      <List
        what="entries"
        controls={list}
        query={logs}
        rowsOf={(page) => page.security_logs}
        columns={columns}
        keyOf={(log) => log.log_id}
        onOpen={(log) => list.setOpen(log.log_id)}
        chosen={list.open}
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
          ...DATES,
        ]}
        empty={<Empty title="Nothing has happened yet" />}
      />
    </Developers>
  );
}

function SecurityDetail({ id, zone, onClose }: { id: string; zone: string; onClose: () => void }) {
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
                  ["By", shown.user_email],
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
