/** What has happened to something, newest first, and who did it. */
import { useQuery } from "@tanstack/react-query";
import { read } from "@/api/client";
import { Moment } from "@/ui/amounts";
import { Empty, Loaded } from "@/ui/states";

export function ActivityList({ resourceId }: { resourceId: string }) {
  const query = { "resource_ids[]": [resourceId], per_page: 50 };
  const logs = useQuery(read("/api/v1/activity_logs", { params: { query: query as never } }));
  return (
    <div className="sec">
      <Loaded query={logs} what="Activity">
        {({ activity_logs: entries }) =>
          entries.length === 0 ? (
            <Empty title="Nothing logged">Entries are kept for as long as the server keeps its logs.</Empty>
          ) : (
            <ol className="tl">
              {entries.map((entry) => (
                <li key={entry.activity_id}>
                  <span className="dot" />
                  <div>{worded(entry.activity_type)}</div>
                  <div className="t">
                    <Moment value={entry.logged_at} />
                    {" · "}
                    {entry.user_email ?? (entry.activity_source === "api" ? "over the API" : "by itself")}
                  </div>
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </div>
  );
}

/** "invoice.payment_status_updated" is "Invoice payment status updated". */
function worded(type: string): string {
  const words = type.replaceAll(/[._]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
