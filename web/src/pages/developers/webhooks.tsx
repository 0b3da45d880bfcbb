import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { KeyRound, Pencil, Plus, RefreshCw, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { read, type Schema, useChange, WHOLE } from "@/api/client";
import { paths } from "@/app/paths";
import { countWords } from "@/lib/words";
import { Moment } from "@/ui/amounts";
import { Button, Copy, Facts, Section } from "@/ui/basics";
import { Bulk } from "@/ui/bulk";
import { Json } from "@/ui/code";
import { Checkbox, Field, Segments, Select, TextInput } from "@/ui/fields";
import { messageOf } from "@/ui/form";
import { type Filter, List, useListState, useRows } from "@/ui/list";
import { useOpened } from "@/ui/opened";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { Empty, ErrorBlock, Loaded } from "@/ui/states";
import { Status } from "@/ui/status";
import { type Column, Table } from "@/ui/table";
import { Editor, NEEDED, orNull } from "../settings/editor";
import { hostOf, triesOf } from "./deliveries";
import { Detail } from "./detail";
import { Developers } from "./layout";
import { EVERY_TYPE, TYPES } from "./topics";

type Endpoint = Schema<"EndpointOutput">;
type Delivery = Schema<"DeliveryOutput">;

const endpointColumns: Column<Endpoint>[] = [
  {
    head: "Endpoint",
    fold: "f1",
    cell: (endpoint) => (
      <span>
        <b className="med">{endpoint.name ?? hostOf(endpoint.webhook_url)}</b>
        <span className="sub id">{endpoint.webhook_url}</span>
      </span>
    ),
  },
  {
    head: "Listens to",
    fold: "f3",
    cell: (endpoint) =>
      endpoint.event_types === null ? "Everything" : countWords(endpoint.event_types.length, "event"),
  },
  { head: "Signature", isLow: true, cell: (endpoint) => endpoint.signature_algo.toUpperCase() },
  { head: "Since", isLow: true, cell: (endpoint) => <Moment value={endpoint.created_at} /> },
];

export function Webhooks() {
  const endpoints = useQuery(read("/api/v1/webhook_endpoints", { params: { query: WHOLE } }));
  const [isMaking, setMaking] = useOpened("new-endpoint");
  const create = (
    <Button look="primary" data-create="" onClick={() => setMaking(true)}>
      <Plus className="i" aria-hidden="true" />
      New endpoint
    </Button>
  );
  return (
    <Developers title="Webhooks" actions={create}>
      <Loaded
        query={endpoints}
        what="Endpoints"
        skeleton={
          <Table
            label="Endpoints"
            columns={endpointColumns}
            rows={undefined}
            keyOf={String}
            isTall
            isBleeding
          />
        }
      >
        {({ webhook_endpoints: shown }) =>
          shown.length === 0 ? (
            <Empty title="No endpoints yet" actions={create}>
              An endpoint is told what happens here: invoices, payments, usage that crosses a line.
            </Empty>
          ) : (
            <Table
              label="Endpoints"
              columns={endpointColumns}
              rows={shown}
              keyOf={(endpoint) => endpoint.lago_id}
              hrefOf={(endpoint) => paths.developers("webhooks", endpoint.lago_id)}
              isTall
              isBleeding
            />
          )
        }
      </Loaded>
      {isMaking && <EndpointEditor endpoint={null} onClose={() => setMaking(false)} />}
    </Developers>
  );
}

const deliveryColumns: Column<Delivery>[] = [
  { head: "Type", fold: "f1", cell: (delivery) => <span className="id med">{delivery.webhook_type}</span> },
  {
    head: "Status",
    fold: "f4",
    cell: (delivery) => <Status status={delivery.status} word={wordOf(delivery)} />,
  },
  {
    head: "Answer",
    isNumber: true,
    fold: "f2",
    cell: (delivery) => delivery.http_status ?? <span className="dim">–</span>,
  },
  {
    head: "Tries",
    isNumber: true,
    isLow: true,
    cell: triesOf,
  },
  { head: "Made", fold: "f3", cell: (delivery) => <Moment value={delivery.created_at} /> },
];

function wordOf(delivery: Delivery): string | undefined {
  return delivery.status === "succeeded" ? "Delivered" : undefined;
}

const deliveryFilters: Filter[] = [
  {
    key: "status",
    label: "Status",
    options: [
      { value: "succeeded", label: "Delivered" },
      { value: "pending", label: "Pending" },
      { value: "retrying", label: "Retrying" },
      { value: "failed", label: "Failed" },
    ],
  },
  { key: "webhook_type", label: "Type", options: EVERY_TYPE.map((type) => ({ value: type, label: type })) },
  { key: "http_status", label: "Answer", kind: "number" },
  { key: "from_date", label: "From", kind: "date" },
  { key: "to_date", label: "Until", kind: "date" },
];

export function WebhookEndpoint() {
  const { id } = useParams({ strict: false }) as { id: string };
  const list = useListState();
  const endpoint = useQuery(
    read("/api/v1/webhook_endpoints/{lago_id}", { params: { path: { lago_id: id } } }),
  );
  const deliveries = useRows(list, (asked) => {
    const query = { ...asked, ...list.sought, ...list.filters, webhook_endpoint_id: id };
    return read("/app/v1/webhook_deliveries", { params: { query: query as never } });
  });
  const again = useChange("post", "/app/v1/webhook_deliveries/{lago_id}/retry", {
    isQuiet: true,
    touches: [],
  });
  const failed = deliveries.pages
    .flatMap((page) => page.webhook_deliveries)
    .filter((one) => one.status === "failed")
    .map((one) => one.lago_id);
  const [isEditing, setEditing] = useOpened("edit");
  const [isDoomed, setDoomed] = useOpened("delete");
  const navigate = useNavigate();
  const remove = useChange("delete", "/api/v1/webhook_endpoints/{lago_id}", {
    done: "Endpoint deleted",
    onDone: () => void navigate({ to: paths.developers("webhooks") }),
  });
  return (
    <Developers
      title="Webhooks"
      detail={list.open && <DeliveryDetail id={list.open} onClose={() => list.setOpen(undefined)} />}
      actions={
        <ActionMenu
          label="Actions for this endpoint"
          actions={[
            { label: "Edit", icon: <Pencil className="i" />, onSelect: () => setEditing(true) },
            {
              label: "Delete",
              icon: <Trash2 className="i" />,
              isDanger: true,
              onSelect: () => setDoomed(true),
            },
          ]}
        />
      }
    >
      <Loaded query={endpoint} what="The endpoint">
        {({ webhook_endpoint: shown }) => (
          <>
            <p style={{ paddingBottom: 12 }}>
              <Link to={paths.developers("webhooks")} className="link">
                All endpoints
              </Link>
            </p>
            <Facts
              facts={[
                ["Name", shown.name],
                ["URL", <Copy key="url" text={shown.webhook_url} what="URL" />],
                ["Signature", shown.signature_algo.toUpperCase()],
                ["Listens to", shown.event_types === null ? "Everything" : shown.event_types.join(", ")],
              ]}
            />
            {shown.signature_algo === "hmac" && <Secret />}
            <Section title="Deliveries">
              <List
                what="deliveries"
                controls={list}
                query={deliveries}
                rowsOf={(page) => page.webhook_deliveries}
                columns={deliveryColumns}
                keyOf={(delivery) => delivery.lago_id}
                onOpen={(delivery) => list.setOpen(delivery.lago_id)}
                chosen={list.open}
                searchHint="ID"
                filters={deliveryFilters}
                toolbar={
                  <>
                    {list.filters.status === "failed" && failed.length > 0 && (
                      <Bulk
                        verb="Send again"
                        noun="delivery"
                        ids={failed}
                        touches={["/app/v1/webhook_deliveries"]}
                        act={(one) => again.mutateAsync({ params: { path: { lago_id: one } } })}
                      >
                        <p>Each is sent to the endpoint as it was, with its own unique key.</p>
                      </Bulk>
                    )}
                    <Button size="sm" look="ghost" onClick={() => void deliveries.refetch()}>
                      <RefreshCw className="i" aria-hidden="true" />
                      Refresh
                    </Button>
                  </>
                }
                empty={<Empty title="Nothing delivered yet">What happens from now on is told here.</Empty>}
              />
            </Section>
            {isEditing && <EndpointEditor endpoint={shown} onClose={() => setEditing(false)} />}
          </>
        )}
      </Loaded>
      <Confirm
        title="Delete this endpoint?"
        verb="Delete endpoint"
        isOpen={isDoomed}
        isBusy={remove.isPending}
        onClose={() => setDoomed(false)}
        onConfirm={() => remove.mutate({ params: { path: { lago_id: id } } })}
      >
        It is told nothing from now on, and what waits for it is dropped.
      </Confirm>
    </Developers>
  );
}

/** The secret of HMAC signatures, asked for only when somebody wants to see it. */
function Secret() {
  const [isShown, setShown] = useState(false);
  const secret = useQuery({ ...read("/app/v1/webhook_secret"), enabled: isShown });
  return (
    <div style={{ paddingTop: 8 }}>
      {secret.data ? (
        <Copy text={secret.data.webhook_secret.hmac_key} what="HMAC secret" />
      ) : secret.error ? (
        <ErrorBlock what="The HMAC secret" error={secret.error} onRetry={() => void secret.refetch()} />
      ) : (
        <Button size="sm" isBusy={isShown && secret.isFetching} onClick={() => setShown(true)}>
          <KeyRound className="i" aria-hidden="true" />
          Show the HMAC secret
        </Button>
      )}
    </div>
  );
}

function DeliveryDetail({ id, onClose }: { id: string; onClose: () => void }) {
  const delivery = useQuery(
    read("/app/v1/webhook_deliveries/{lago_id}", { params: { path: { lago_id: id } } }),
  );
  const retry = useChange("post", "/app/v1/webhook_deliveries/{lago_id}/retry", {
    done: "Sent again",
    touches: ["/app/v1/webhook_deliveries"],
  });
  return (
    <Detail
      title={delivery.data?.webhook_delivery.webhook_type ?? "Delivery"}
      onClose={onClose}
      footer={
        delivery.data?.webhook_delivery.status !== "succeeded" && (
          <Button
            look="primary"
            isBusy={retry.isPending}
            onClick={() => retry.mutate({ params: { path: { lago_id: id } } })}
          >
            <Send className="i" aria-hidden="true" />
            Send again
          </Button>
        )
      }
    >
      <Loaded query={delivery} what="The delivery">
        {({ webhook_delivery: shown }) => (
          <>
            <Facts
              facts={[
                ["Status", <Status key="s" status={shown.status} word={wordOf(shown)} />],
                ["Unique key", <Copy key="k" text={shown.lago_id} what="unique key" />],
                [
                  "URL",
                  <span key="u" className="id">
                    {shown.webhook_url}
                  </span>,
                ],
                ["Answer", shown.http_status],
                ["Tries", String(triesOf(shown))],
                ["Next try", shown.next_attempt_at && <Moment key="n" value={shown.next_attempt_at} />],
                ["Made", <Moment key="m" value={shown.created_at} />],
              ]}
            />
            <h3>Payload</h3>
            <Json value={shown.payload} label="Payload" />
            {shown.response && (
              <>
                <h3>Answer</h3>
                <Json value={shown.response} label="Answer" />
              </>
            )}
          </>
        )}
      </Loaded>
    </Detail>
  );
}

interface Values {
  name: string;
  webhook_url: string;
  signature_algo: string;
  event_types: string[] | null;
}

function EndpointEditor({ endpoint, onClose }: { endpoint: Endpoint | null; onClose: () => void }) {
  const touches = ["/api/v1/webhook_endpoints"];
  const create = useChange("post", "/api/v1/webhook_endpoints", {
    done: "Endpoint created",
    isQuiet: true,
    touches,
  });
  const update = useChange("put", "/api/v1/webhook_endpoints/{lago_id}", {
    done: "Endpoint saved",
    isQuiet: true,
    touches,
  });
  const [term, setTerm] = useState("");
  return (
    <Editor<Values>
      title={endpoint ? "Edit endpoint" : "New endpoint"}
      verb={endpoint ? "Save endpoint" : "Create endpoint"}
      values={{
        name: endpoint?.name ?? "",
        webhook_url: endpoint?.webhook_url ?? "",
        signature_algo: endpoint?.signature_algo ?? "hmac",
        event_types: endpoint?.event_types ?? null,
      }}
      onClose={onClose}
      onSave={(values) => {
        // The description has no null for what is none; the server takes it.
        const body = { webhook_endpoint: { ...values, name: orNull(values.name) } } as never;
        return endpoint
          ? update.mutateAsync({ params: { path: { lago_id: endpoint.lago_id } }, body })
          : create.mutateAsync({ body });
      }}
    >
      {(form) => {
        const { errors } = form.formState;
        const types = form.watch("event_types");
        const choose = (next: string[] | null) => form.setValue("event_types", next, { shouldDirty: true });
        const give = (names: readonly string[], isOn: boolean) =>
          choose(
            isOn
              ? [...new Set([...(types ?? []), ...names])]
              : (types ?? []).filter((one) => !names.includes(one)),
          );
        return (
          <>
            <Field label="Name" isOptional error={messageOf(errors, "name")}>
              <TextInput {...form.register("name")} />
            </Field>
            <Field label="URL" error={messageOf(errors, "webhook_url")}>
              <TextInput
                type="url"
                placeholder="https://example.com/hooks"
                {...form.register("webhook_url", NEEDED)}
              />
            </Field>
            <Field
              label="Signature"
              hint={
                form.watch("signature_algo") === "hmac"
                  ? "A shared secret: quick to check, to be kept as safe as a password."
                  : "A public key checks it: nothing secret on your side."
              }
              error={messageOf(errors, "signature_algo")}
            >
              <Select
                value={form.watch("signature_algo")}
                options={[
                  { value: "hmac", label: "HMAC" },
                  { value: "jwt", label: "JWT" },
                ]}
                onChange={(value) => form.setValue("signature_algo", value, { shouldDirty: true })}
              />
            </Field>
            <Segments
              label="What it listens to"
              value={types === null ? "all" : "some"}
              options={[
                { value: "all", label: "Everything" },
                { value: "some", label: "Some types", ...(types ? { count: types.length } : {}) },
              ]}
              onChange={(value) => choose(value === "all" ? null : [])}
            />
            {types !== null && (
              <>
                <TextInput
                  type="search"
                  aria-label="Find a type"
                  placeholder="Find"
                  value={term}
                  onChange={(event) => setTerm(event.target.value)}
                />
                {TYPES.map(([about, all]) => {
                  const shown = all.filter((type) =>
                    type.includes(term.trim().toLowerCase().replaceAll(" ", "_")),
                  );
                  if (shown.length === 0) return null;
                  return (
                    <div className="topic-group" key={about}>
                      <Checkbox
                        label={<b className="med">{about.replaceAll("_", " ")}</b>}
                        isOn={shown.every((type) => types.includes(type))}
                        onChange={(isOn) => give(shown, isOn)}
                      />
                      <div>
                        {shown.map((type) => (
                          <Checkbox
                            key={type}
                            label={type.slice(about.length + 1).replaceAll("_", " ")}
                            isOn={types.includes(type)}
                            onChange={(isOn) => give([type], isOn)}
                          />
                        ))}
                      </div>
                    </div>
                  );
                })}
              </>
            )}
          </>
        );
      }}
    </Editor>
  );
}
