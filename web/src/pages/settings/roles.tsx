import { useQuery } from "@tanstack/react-query";
import { Copy, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { withoutOne } from "@/api/foresight";
import { useCan } from "@/app/session";
import { Button } from "@/ui/basics";
import { Checkbox, Field, TextInput } from "@/ui/fields";
import { codeFrom, messageOf } from "@/ui/form";
import { DescriptionField } from "@/ui/named";
import { useOpened, useOpenedRow } from "@/ui/opened";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { Loaded } from "@/ui/states";
import { type Column, Table } from "@/ui/table";
import { Editor, NEEDED, orNull } from "./editor";
import { Settings, SettingsHead } from "./layout";
import { byArea, wordsOf } from "./permissions";

type Role = Schema<"RoleOutput">;

const columns: Column<Role>[] = [
  {
    head: "Role",
    fold: "f1",
    cell: (role) => (
      <span>
        <b className="med">{role.name}</b>
        <span className="sub id">{role.code}</span>
      </span>
    ),
  },
  { head: "Kind", fold: "f4", cell: (role) => (role.is_predefined ? "Built in" : "Your own") },
  { head: "Permissions", isNumber: true, isLow: true, cell: (role) => role.permissions.length },
  { head: "Members", isNumber: true, fold: "f2", cell: (role) => role.members_count },
];

type Draft = { role: Role | null; from: Role | null };

export function Roles() {
  const can = useCan();
  const roles = useQuery(read("/app/v1/roles"));
  const permissions = useQuery(read("/app/v1/permissions"));
  const shown = roles.data?.roles;
  const keyOf = (role: Role) => role.code;
  // Who holds a role is given another one before it goes.
  const isFree = (role: Role) => !role.is_predefined && role.members_count === 0;
  const [isMaking, setMaking] = useOpened("new", can("roles:create"));
  const [looked, setLooked] = useOpenedRow("role", shown, keyOf);
  const [copied, setCopied] = useOpenedRow("duplicate", shown, keyOf, can("roles:create"));
  const [doomed, setDoomed] = useOpenedRow("delete", shown?.filter(isFree), keyOf, can("roles:delete"));
  const draft: Draft | null = isMaking
    ? { role: null, from: null }
    : copied
      ? { role: null, from: copied }
      : looked && { role: looked, from: looked };
  const remove = useChange("delete", "/app/v1/roles/{code}", {
    done: "Role deleted",
    touches: ["/app/v1/roles"],
    foresees: withoutOne("/app/v1/roles", "roles", (one: Role, { params }) => one.code === params.path.code),
  });
  return (
    <Settings title="Roles">
      <div>
        <SettingsHead
          note="What members may see and do. A member may have several roles: each adds to the others."
          actions={
            can("roles:create") && (
              <Button look="primary" size="sm" data-create="" onClick={() => setMaking(true)}>
                <Plus className="i" aria-hidden="true" />
                New role
              </Button>
            )
          }
        />
        <Loaded
          query={roles}
          what="Roles"
          skeleton={<Table label="Roles" columns={columns} rows={undefined} keyOf={String} isTall />}
        >
          {(page) => (
            <Table
              label="Roles"
              columns={columns}
              rows={page.roles}
              keyOf={keyOf}
              isTall
              onOpen={setLooked}
              actions={(role) => (
                <ActionMenu
                  label={`Actions for ${role.name}`}
                  actions={[
                    {
                      label: "Edit",
                      icon: <Pencil className="i" />,
                      onSelect: () => setLooked(role),
                      isShown: can("roles:update") && !role.is_predefined,
                    },
                    {
                      label: "Duplicate",
                      icon: <Copy className="i" />,
                      onSelect: () => setCopied(role),
                      isShown: can("roles:create"),
                    },
                    {
                      label: "Delete",
                      icon: <Trash2 className="i" />,
                      isDanger: true,
                      onSelect: () => setDoomed(role),
                      isShown: can("roles:delete") && isFree(role),
                    },
                  ]}
                />
              )}
            />
          )}
        </Loaded>
      </div>
      {draft && permissions.data && (
        <RoleEditor
          key={`${draft.role?.code} ${draft.from?.code}`}
          draft={draft}
          permissions={permissions.data.permissions}
          isFixed={draft.role !== null && (draft.role.is_predefined || !can("roles:update"))}
          onClose={() => setLooked(null)}
        />
      )}
      <Confirm
        title={`Delete the role “${doomed?.name}”?`}
        verb="Delete role"
        isOpen={doomed !== null}
        onClose={() => setDoomed(null)}
        onConfirm={() => {
          if (doomed) remove.mutate({ params: { path: { code: doomed.code } } });
          setDoomed(null);
        }}
      >
        No member holds it. It stays as long as an invitation names it.
      </Confirm>
    </Settings>
  );
}

interface Values {
  name: string;
  code: string;
  description: string;
  permissions: string[];
}

function RoleEditor({
  draft,
  permissions,
  isFixed,
  onClose,
}: {
  draft: Draft;
  permissions: string[];
  isFixed: boolean;
  onClose: () => void;
}) {
  const { role, from } = draft;
  const [term, setTerm] = useState("");
  const touches = ["/app/v1/roles", "session"];
  const create = useChange("post", "/app/v1/roles", { done: "Role created", isQuiet: true, touches });
  const update = useChange("put", "/app/v1/roles/{code}", { done: "Role saved", isQuiet: true, touches });
  const areas = byArea(
    permissions.filter((one) => one.includes(term.trim().toLowerCase().replaceAll(" ", "_"))),
  );
  return (
    <Editor<Values>
      title={role ? role.name : "New role"}
      verb={isFixed ? "Close" : role ? "Save role" : "Create role"}
      values={{
        name: role?.name ?? (from ? `${from.name} copy` : ""),
        code: role?.code ?? (from ? `${from.code}_copy` : ""),
        description: from?.description ?? "",
        permissions: from?.permissions ?? [],
      }}
      onClose={onClose}
      onSave={(values) => {
        if (isFixed) return Promise.resolve();
        const body = { ...values, description: orNull(values.description) };
        return role
          ? update.mutateAsync({ params: { path: { code: role.code } }, body })
          : create.mutateAsync({ body });
      }}
    >
      {(form) => {
        const { errors, dirtyFields } = form.formState;
        const held = new Set(form.watch("permissions"));
        const give = (names: string[], isOn: boolean) => {
          const next = isOn
            ? [...new Set([...held, ...names])]
            : [...held].filter((one) => !names.includes(one));
          form.setValue("permissions", next, { shouldDirty: true });
        };
        return (
          <>
            <Field label="Name" error={messageOf(errors, "name")}>
              <TextInput
                disabled={isFixed}
                {...form.register("name", {
                  ...NEEDED,
                  onChange: (event: { target: { value: string } }) => {
                    if (!role && !dirtyFields.code) form.setValue("code", codeFrom(event.target.value));
                  },
                })}
              />
            </Field>
            <Field label="Code" error={messageOf(errors, "code")}>
              <TextInput disabled={role !== null} {...form.register("code", NEEDED)} />
            </Field>
            <DescriptionField form={form} isDisabled={isFixed} />
            <Field
              label={`Permissions, ${held.size} of ${permissions.length}`}
              error={messageOf(errors, "permissions")}
            >
              <TextInput
                type="search"
                placeholder="Find"
                value={term}
                onChange={(event) => setTerm(event.target.value)}
              />
            </Field>
            <div className="permission-grid">
              {areas.map(([area, names]) => (
                <div className="permission-area" key={area}>
                  <Checkbox
                    label={<b className="med">{wordsOf(area)}</b>}
                    isOn={names.every((name) => held.has(name))}
                    isDisabled={isFixed}
                    onChange={(isOn) => give(names, isOn)}
                  />
                  <div className="actions">
                    {names.map((name) => (
                      <Checkbox
                        key={name}
                        label={wordsOf(name.slice(area.length + 1))}
                        isOn={held.has(name)}
                        isDisabled={isFixed}
                        onChange={(isOn) => give([name], isOn)}
                      />
                    ))}
                  </div>
                </div>
              ))}
            </div>
          </>
        );
      }}
    </Editor>
  );
}
