import { useQuery } from "@tanstack/react-query";
import { KeyRound, Pencil, Plus, RotateCw, Trash2 } from "lucide-react";
import { useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { useOrganization } from "@/app/session";
import { distance, moment } from "@/lib/dates";
import { Day } from "@/ui/amounts";
import { Button, Copy } from "@/ui/basics";
import { Checkbox, Field, Segments, Select, TextInput } from "@/ui/fields";
import { messageOf } from "@/ui/form";
import { useOpened, useOpenedRow } from "@/ui/opened";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { Empty, Loaded } from "@/ui/states";
import { type Column, Table } from "@/ui/table";
import { Editor, orNull } from "../settings/editor";
import { Developers } from "./layout";
import { MODES, type Mode, RESOURCES, type Rights } from "./rights";

type Key = Schema<"KeyOutput">;
type NewKey = Schema<"NewKeyOutput">;

const columns: Column<Key>[] = [
  { head: "Name", fold: "f1", cell: (key) => <b className="med">{key.name ?? "Unnamed"}</b> },
  {
    head: "Value",
    isLow: true,
    cell: ({ ending }) => (ending ? <span className="id">…{ending}</span> : <span className="dim">–</span>),
  },
  {
    head: "May",
    fold: "f3",
    cell: (key) =>
      key.permissions === null
        ? "Everything"
        : `${Object.keys(key.permissions).length} of ${RESOURCES.length} resources`,
  },
  { head: "Made", isLow: true, cell: (key) => <Day value={key.created_at} /> },
  {
    head: "Last used",
    fold: "f2",
    cell: (key) =>
      key.last_used_at ? distance(key.last_used_at, Date.now()) : <span className="dim">never</span>,
  },
  {
    head: "Ends",
    isLow: true,
    cell: (key) => (key.expires_at ? moment(key.expires_at) : <span className="dim">–</span>),
  },
];

const keyOf = (key: Key) => key.lago_id;

export function ApiKeys() {
  const organization = useOrganization();
  const keys = useQuery(read("/app/v1/api_keys"));
  const all = keys.data?.api_keys;
  const [isMaking, setMaking] = useOpened("new-key");
  const [edited, setEdited] = useOpenedRow("edit-key", all, keyOf);
  const [rotated, setRotated] = useOpenedRow("rotate-key", all, keyOf);
  const [doomed, setDoomed] = useOpenedRow("delete-key", all, keyOf);
  const [made, setMade] = useState<NewKey | null>(null);
  const remove = useChange("delete", "/app/v1/api_keys/{lago_id}", {
    done: "API key deleted",
    touches: ["/app/v1/api_keys"],
    onDone: () => setDoomed(null),
  });
  const create = (
    <Button look="primary" data-create="" onClick={() => setMaking(true)}>
      <Plus className="i" aria-hidden="true" />
      New API key
    </Button>
  );
  return (
    <Developers title="API keys" actions={create}>
      <p className="dev-note">
        Calls carry a key as <code className="mono">Authorization: Bearer …</code>; a key is shown once, when
        it is made. They are of the organization <Masked text={organization.lago_id} what="organization ID" />
      </p>
      {made && (
        <div className="key-shown" role="status">
          <span>
            <KeyRound className="i" aria-hidden="true" /> The key{" "}
            <b className="med">{made.name ?? "Unnamed"}</b>. Keep it: it is not shown again.
          </span>
          <Copy text={made.value} what="API key" />
        </div>
      )}
      <Loaded
        query={keys}
        what="API keys"
        skeleton={<Table label="API keys" columns={columns} rows={undefined} keyOf={String} isBleeding />}
      >
        {({ api_keys: shown }) =>
          shown.length === 0 ? (
            <Empty title="No API keys" actions={create} />
          ) : (
            <Table
              label="API keys"
              columns={columns}
              rows={shown}
              keyOf={keyOf}
              onOpen={setEdited}
              isBleeding
              actions={(key) => (
                <ActionMenu
                  label={`Actions for ${key.name ?? "this key"}`}
                  actions={[
                    { label: "Edit", icon: <Pencil className="i" />, onSelect: () => setEdited(key) },
                    { label: "Rotate", icon: <RotateCw className="i" />, onSelect: () => setRotated(key) },
                    {
                      label: "Delete",
                      icon: <Trash2 className="i" />,
                      isDanger: true,
                      onSelect: () => setDoomed(key),
                    },
                  ]}
                />
              )}
            />
          )
        }
      </Loaded>
      {isMaking && <KeyEditor apiKey={null} onMade={setMade} onClose={() => setMaking(false)} />}
      {edited && <KeyEditor apiKey={edited} onMade={setMade} onClose={() => setEdited(null)} />}
      {rotated && <Rotation apiKey={rotated} onMade={setMade} onClose={() => setRotated(null)} />}
      <Confirm
        title={`Delete the API key “${doomed?.name ?? "Unnamed"}”?`}
        verb="Delete API key"
        isOpen={doomed !== null}
        isBusy={remove.isPending}
        onClose={() => setDoomed(null)}
        onConfirm={() => doomed && remove.mutate({ params: { path: { lago_id: doomed.lago_id } } })}
      >
        <p>
          {doomed?.last_used_at ? (
            <>
              It was used <b>{distance(doomed.last_used_at, Date.now())}</b>. Calls with it are refused from
              now on.
            </>
          ) : (
            "It was never used."
          )}
        </p>
      </Confirm>
    </Developers>
  );
}

/** Its end, until somebody wants to see all of it; it is copied either way. */
function Masked({ text, what }: { text: string; what: string }) {
  const [isShown, setShown] = useState(false);
  return (
    <>
      <Copy text={text} what={what}>
        {isShown ? text : `…${text.slice(-4)}`}
      </Copy>{" "}
      <button type="button" className="link" onClick={() => setShown(!isShown)}>
        {isShown ? "Hide" : "Show"}
        <span className="sr"> the {what}</span>
      </button>
    </>
  );
}

interface Values {
  name: string;
  permissions: Rights | null;
}

function KeyEditor({
  apiKey,
  onMade,
  onClose,
}: {
  apiKey: Key | null;
  onMade: (made: NewKey) => void;
  onClose: () => void;
}) {
  const touches = ["/app/v1/api_keys"];
  const create = useChange("post", "/app/v1/api_keys", {
    done: "API key created",
    isQuiet: true,
    touches,
    onDone: ({ api_key }) => onMade(api_key),
  });
  const update = useChange("put", "/app/v1/api_keys/{lago_id}", {
    done: "API key saved",
    isQuiet: true,
    touches,
  });
  return (
    <Editor<Values>
      title={apiKey ? (apiKey.name ?? "API key") : "New API key"}
      verb={apiKey ? "Save API key" : "Create API key"}
      values={{
        name: apiKey?.name ?? "",
        permissions: (apiKey?.permissions as Rights | null | undefined) ?? null,
      }}
      onClose={onClose}
      onSave={(values) => {
        const body = { name: orNull(values.name), permissions: values.permissions };
        return apiKey
          ? update.mutateAsync({ params: { path: { lago_id: apiKey.lago_id } }, body })
          : create.mutateAsync({ body });
      }}
    >
      {(form) => {
        const rights = form.watch("permissions");
        const give = (next: Rights | null) => form.setValue("permissions", next, { shouldDirty: true });
        return (
          <>
            <Field label="Name" isOptional error={messageOf(form.formState.errors, "name")}>
              <TextInput autoFocus placeholder="Production backend" {...form.register("name")} />
            </Field>
            <Segments
              label="What it may do"
              value={rights === null ? "all" : "some"}
              options={[
                { value: "all", label: "Everything" },
                { value: "some", label: "Some of it" },
              ]}
              onChange={(value) =>
                give(value === "all" ? null : Object.fromEntries(RESOURCES.map((one) => [one, ["read"]])))
              }
            />
            {rights && <RightsGrid rights={rights} onChange={give} />}
          </>
        );
      }}
    </Editor>
  );
}

function RightsGrid({ rights, onChange }: { rights: Rights; onChange: (rights: Rights) => void }) {
  const toggle = (resource: string, mode: Mode, isOn: boolean) => {
    const modes = MODES.filter((one) => (one === mode ? isOn : rights[resource]?.includes(one)));
    const { [resource]: _, ...others } = rights;
    onChange(modes.length > 0 ? { ...others, [resource]: modes } : others);
  };
  return (
    <div className="rights" role="group" aria-label="Rights by resource">
      <span className="head">Resource</span>
      <span className="head">Read</span>
      <span className="head">Write</span>
      {RESOURCES.map((resource) => (
        <RightsRow key={resource} resource={resource} modes={rights[resource] ?? []} onToggle={toggle} />
      ))}
    </div>
  );
}

function RightsRow({
  resource,
  modes,
  onToggle,
}: {
  resource: string;
  modes: readonly Mode[];
  onToggle: (resource: string, mode: Mode, isOn: boolean) => void;
}) {
  const name = resource.replaceAll("_", " ");
  return (
    <>
      <span>{name.charAt(0).toUpperCase() + name.slice(1)}</span>
      {MODES.map((mode) => (
        <Checkbox
          key={mode}
          label={<span className="sr">{`${mode} ${name}`}</span>}
          isOn={modes.includes(mode)}
          onChange={(isOn) => onToggle(resource, mode, isOn)}
        />
      ))}
    </>
  );
}

const ENDS: [value: string, label: string, hours: number][] = [
  ["0", "Now", 0],
  ["1", "In 1 hour", 1],
  ["24", "In 24 hours", 24],
  ["48", "In 48 hours", 48],
  ["168", "In 7 days", 168],
];

function Rotation({
  apiKey,
  onMade,
  onClose,
}: {
  apiKey: Key;
  onMade: (made: NewKey) => void;
  onClose: () => void;
}) {
  const rotate = useChange("post", "/app/v1/api_keys/{lago_id}/rotate", {
    done: "A new key takes over",
    isQuiet: true,
    touches: ["/app/v1/api_keys"],
    onDone: ({ api_key }) => onMade(api_key),
  });
  return (
    <Editor<{ name: string; hours: string }>
      title={`Rotate ${apiKey.name ?? "this key"}`}
      verb="Rotate"
      values={{ name: apiKey.name ?? "", hours: "24" }}
      onClose={onClose}
      onSave={({ name, hours }) => {
        const expires_at =
          hours === "0" ? null : new Date(Date.now() + Number(hours) * 3_600_000).toISOString();
        return rotate.mutateAsync({
          params: { path: { lago_id: apiKey.lago_id } },
          body: { name: orNull(name), expires_at },
        });
      }}
    >
      {(form) => (
        <>
          <p className="ink2">
            A new key with the same rights is made and shown. The old one ends when you say.
          </p>
          <Field label="The old key ends">
            <Select
              value={form.watch("hours")}
              options={ENDS.map(([value, label]) => ({ value, label }))}
              onChange={(value) => form.setValue("hours", value, { shouldDirty: true })}
            />
          </Field>
          <Field label="Name of the new key" isOptional>
            <TextInput {...form.register("name")} />
          </Field>
        </>
      )}
    </Editor>
  );
}
