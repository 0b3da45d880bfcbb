import { useQuery } from "@tanstack/react-query";
import { Ban, Pencil, RefreshCw, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { useOrganization } from "@/app/session";
import { Moment } from "@/ui/amounts";
import { Banner, Button, Copy, Facts } from "@/ui/basics";
import { Json } from "@/ui/code";
import { Field, TextArea, TextInput } from "@/ui/fields";
import { messageOf } from "@/ui/form";
import { type Filter, List, useListState, useRows } from "@/ui/list";
import { useOpenedOne } from "@/ui/opened";
import { Empty, Skeleton } from "@/ui/states";
import type { Column } from "@/ui/table";
import { Editor, NEEDED } from "../settings/editor";
import { Detail } from "./detail";
import { Developers } from "./layout";
import { REASONS } from "./reasons";

type Event = Schema<"EventOutput"> & { unmatched_reason?: Schema<"UnmatchedReason"> };

const filters: Filter[] = [
  { key: "code", label: "Metric's code" },
  { key: "external_subscription_id", label: "Subscription" },
  { key: "timestamp_from", label: "From", kind: "date" },
  { key: "timestamp_to", label: "Until", kind: "date" },
  {
    key: "unmatched_reason",
    label: "Unmatched",
    options: Object.entries(REASONS).map(([value, one]) => ({ value, label: one.title })),
  },
];

export function Events() {
  const { timezone } = useOrganization();
  const list = useListState();
  const { unmatched_reason, ...others } = list.filters;
  const query = {
    ...others,
    ...(unmatched_reason ? { unmatched: "true", unmatched_reason } : {}),
  };
  const events = useRows(list, (asked) =>
    read("/api/v1/events", { params: { query: { ...query, ...asked } as never } }),
  );
  const columns: Column<Event>[] = [
    { head: "Code", fold: "f1", cell: (event) => <b className="med id">{event.code}</b> },
    { head: "Time", fold: "f2", cell: (event) => <Moment value={event.timestamp} zone={timezone} /> },
    {
      head: "Subscription",
      fold: "f3",
      cell: (event) => <span className="id">{event.external_subscription_id ?? "–"}</span>,
    },
    { head: "Transaction", isLow: true, cell: (event) => <span className="id">{event.transaction_id}</span> },
    {
      head: "Properties",
      isLow: true,
      cell: (event) => <span className="mono dim">{short(event.properties)}</span>,
    },
  ];
  const shown = events.pages.flatMap((page) => page.events as Event[]);
  return (
    <Developers
      title="Events"
      actions={
        <Button look="ghost" isBusy={events.isFetching} onClick={() => void events.refetch()}>
          <RefreshCw className="i" aria-hidden="true" />
          Refresh
        </Button>
      }
      detail={
        list.open &&
        shown.length > 0 && (
          <EventDetail
            event={shown.find((one) => one.lago_id === list.open)}
            onClose={() => list.setOpen(undefined)}
          />
        )
      }
    >
      <List
        what="events"
        controls={list}
        query={events}
        rowsOf={(page) => page.events as Event[]}
        columns={columns}
        keyOf={(event) => event.lago_id}
        onOpen={(event) => list.setOpen(event.lago_id)}
        chosen={list.open}
        filters={filters}
        empty={
          <Empty title="No events yet">
            Send one to <code className="mono">POST /api/v1/events</code> with an API key.
          </Empty>
        }
      />
    </Developers>
  );
}

function short(properties: object): string {
  const text = JSON.stringify(properties);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function EventDetail({ event, onClose }: { event: Event | undefined; onClose: () => void }) {
  const { timezone } = useOrganization();
  const [correction, setCorrection] = useOpenedOne(["amend", "void"]);
  const subscription = event?.external_subscription_id;
  const versions = useQuery({
    ...read("/api/v1/events/{transaction_id}/versions", {
      params: {
        path: { transaction_id: event?.transaction_id ?? "" },
        query: { external_subscription_id: subscription ?? "" },
      },
    }),
    enabled: Boolean(event && subscription),
    retry: false,
  });
  const metric = useQuery({
    ...read("/api/v1/billable_metrics/{code}", { params: { path: { code: event?.code ?? "" } } }),
    enabled: event !== undefined,
    retry: false,
  });
  const sent = useQuery({
    ...read("/app/v1/events/{lago_id}/sender", { params: { path: { lago_id: event?.lago_id ?? "" } } }),
    enabled: event !== undefined,
  });
  if (!event) return null;
  const sender = sent.data?.event_sender;
  const told = (fact: ReactNode) => {
    if (sent.isPending) return <Skeleton width={100} />;
    return sent.error ? <span className="dim">Could not be loaded</span> : fact;
  };
  const field = metric.data?.billable_metric.field_name;
  const isMissing = field && !(field in (event.properties as object));
  const isVoid = versions.data?.versions.at(-1)?.status === "voided";
  return (
    <Detail
      title={event.code}
      onClose={onClose}
      footer={
        subscription &&
        !isVoid && (
          <>
            <Button onClick={() => setCorrection("void")}>
              <Ban className="i" aria-hidden="true" />
              Void
            </Button>
            <Button look="primary" onClick={() => setCorrection("amend")}>
              <Pencil className="i" aria-hidden="true" />
              Amend
            </Button>
          </>
        )
      }
    >
      {event.unmatched_reason && (
        <Banner look="warn" icon={<TriangleAlert className="i" aria-hidden="true" />}>
          {REASONS[event.unmatched_reason]?.text}
        </Banner>
      )}
      {metric.error && (
        <Banner look="warn" icon={<TriangleAlert className="i" aria-hidden="true" />}>
          No billable metric has the code “{event.code}”.
        </Banner>
      )}
      {isMissing && (
        <Banner look="warn" icon={<TriangleAlert className="i" aria-hidden="true" />}>
          The property “{field}”, which its metric counts, is missing.
        </Banner>
      )}
      <Facts
        facts={[
          ["Metric", metric.data?.billable_metric.name],
          ["Transaction", <Copy key="t" text={event.transaction_id} what="transaction ID" />],
          ["Subscription", subscription && <Copy key="s" text={subscription} what="subscription" />],
          ["Time", <Moment key="time" value={event.timestamp} zone={timezone} />],
          ["Received", <Moment key="r" value={event.created_at} zone={timezone} />],
          [
            "IP address",
            told(sender?.ip_address && <Copy key="a" text={sender.ip_address} what="IP address" />),
          ],
          ["Client", told(sender?.client)],
        ]}
      />
      <h3>Properties</h3>
      <Json value={event.properties} label="Properties" />
      {(versions.data?.versions.length ?? 0) > 1 && (
        <>
          <h3>Versions</h3>
          <ol className="tl">
            {versions.data?.versions.map((version) => (
              <li key={version.version}>
                <span className="dot" />
                <div>
                  {version.version}, {version.status}
                  {version.reason && `: ${version.reason}`}
                </div>
                <div className="t">
                  <Moment value={version.created_at} zone={timezone} />
                  {version.user_email && `, ${version.user_email}`}
                </div>
              </li>
            ))}
          </ol>
        </>
      )}
      {correction && subscription && (
        <Correction
          kind={correction}
          event={event}
          subscription={subscription}
          onClose={() => setCorrection(null)}
        />
      )}
    </Detail>
  );
}

interface Values {
  reason: string;
  properties: string;
}

function Correction({
  kind,
  event,
  subscription,
  onClose,
}: {
  kind: "amend" | "void";
  event: Event;
  subscription: string;
  onClose: () => void;
}) {
  const touches = ["/api/v1/events", "/api/v1/customers"];
  const amend = useChange("post", "/api/v1/events/{transaction_id}/amend", {
    done: "Event amended",
    isQuiet: true,
    touches,
  });
  const voiding = useChange("post", "/api/v1/events/{transaction_id}/void", {
    done: "Event voided",
    isQuiet: true,
    touches,
  });
  const params = { path: { transaction_id: event.transaction_id } };
  return (
    <Editor<Values>
      title={kind === "amend" ? "Amend this event" : "Void this event"}
      verb={kind === "amend" ? "Amend event" : "Void event"}
      values={{ reason: "", properties: JSON.stringify(event.properties, null, 2) }}
      onClose={onClose}
      onSave={({ reason, properties }) => {
        const named = { external_subscription_id: subscription, reason };
        return kind === "amend"
          ? amend.mutateAsync({ params, body: { event: { ...named, properties: JSON.parse(properties) } } })
          : voiding.mutateAsync({ params, body: { event: named } });
      }}
    >
      {(form) => (
        <>
          <p className="ink2">
            {kind === "amend"
              ? "Usage, drafts and balances follow at once; the version before stays readable. What is billed is settled as the organization's settings say."
              : "It counts no more, from now on; the version before stays readable."}
          </p>
          {kind === "amend" && (
            <Field label="Properties" error={messageOf(form.formState.errors, "properties")}>
              <TextArea rows={8} className="mono" {...form.register("properties", { validate: isObject })} />
            </Field>
          )}
          <Field label="Reason" error={messageOf(form.formState.errors, "reason")}>
            <TextInput {...form.register("reason", NEEDED)} />
          </Field>
        </>
      )}
    </Editor>
  );
}

function isObject(text: string): true | string {
  try {
    const value: unknown = JSON.parse(text);
    return (typeof value === "object" && value !== null && !Array.isArray(value)) || "A JSON object.";
  } catch {
    return "This is no JSON.";
  }
}
