import { useQuery } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { read, type Schema, useChange } from "@/api/client";
import { useCan, useUser } from "@/app/session";
import { Day } from "@/ui/amounts";
import { Button, initials } from "@/ui/basics";
import { Checkbox, Field, TextInput } from "@/ui/fields";
import { messageOf } from "@/ui/form";
import { List, useListState, useRows } from "@/ui/list";
import { useOpened, useOpenedRow } from "@/ui/opened";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { Empty } from "@/ui/states";
import type { Column } from "@/ui/table";
import { notify } from "@/ui/toasts";
import { Editor, NEEDED } from "./editor";
import { Settings } from "./layout";

type Member = Schema<"MemberOutput">;
export type Invite = Schema<"InviteOutput">;
type Role = Schema<"RoleOutput">;

export const rolesRead = () => read("/app/v1/roles");

/** The names of roles by their codes. */
export function wordsOfRoles(codes: readonly string[], roles: readonly Role[]): string {
  return codes.map((code) => roles.find((role) => role.code === code)?.name ?? code).join(", ");
}

const keyOf = (member: Member) => member.lago_id;

export function Members() {
  const can = useCan();
  const me = useUser();
  const list = useListState();
  const members = useRows(list, (asked) => {
    const query = { ...asked, ...list.filters, ...(list.term && { search: list.term }) };
    return read("/app/v1/members", { params: { query: query as never } });
  });
  const roles = useQuery(rolesRead());
  const shown = members.pages.flatMap((page) => page.members);
  const [edited, setEdited] = useOpenedRow("change-roles", shown, keyOf, can("organization:members:update"));
  const [isInviting, setInviting] = useOpened("invite", can("organization:members:create"));
  const [leaving, setLeaving] = useOpenedRow("remove", shown, keyOf, can("organization:members:delete"));
  const remove = useChange("delete", "/app/v1/members/{lago_id}", {
    done: "Member removed",
    touches: ["/app/v1/members", "/app/v1/roles"],
    onDone: () => setLeaving(null),
  });

  const memberColumns: Column<Member>[] = [
    {
      head: "Member",
      fold: "f1",
      cell: (member) => (
        <span className="who">
          <span className="avatar" aria-hidden="true">
            {initials(member.email.split("@")[0]!)}
          </span>
          <b className="trunc">
            {member.email}
            {member.lago_user_id === me.lago_id && <span className="dim"> (you)</span>}
          </b>
        </span>
      ),
    },
    { head: "Roles", fold: "f3", cell: (member) => wordsOfRoles(member.roles, roles.data?.roles ?? []) },
    { head: "Since", fold: "f2", cell: (member) => <Day value={member.created_at} /> },
  ];

  return (
    <Settings title="Members">
      <div>
        <List
          what="members"
          controls={list}
          query={members}
          rowsOf={(page) => page.members}
          columns={memberColumns}
          keyOf={keyOf}
          searchHint="Address"
          toolbar={
            can("organization:members:create") && (
              <Button look="primary" size="sm" data-create="" onClick={() => setInviting(true)}>
                <Plus className="i" aria-hidden="true" />
                Invite
              </Button>
            )
          }
          filters={[
            {
              key: "roles[]",
              label: "Role",
              options: (roles.data?.roles ?? []).map(({ code, name }) => ({ value: code, label: name })),
            },
          ]}
          actions={(member) => (
            <ActionMenu
              label={`Actions for ${member.email}`}
              actions={[
                {
                  label: "Change roles",
                  icon: <Pencil className="i" />,
                  onSelect: () => setEdited(member),
                  isShown: can("organization:members:update"),
                },
                {
                  label: "Remove",
                  icon: <Trash2 className="i" />,
                  isDanger: true,
                  onSelect: () => setLeaving(member),
                  // Nobody removes themselves.
                  isShown: can("organization:members:delete") && member.lago_user_id !== me.lago_id,
                },
              ]}
            />
          )}
          empty={<Empty title="No members" />}
        />
      </div>
      {isInviting && <Inviting roles={roles.data?.roles ?? []} onClose={() => setInviting(false)} />}
      {edited && (
        <RolesEditor subject={edited} roles={roles.data?.roles ?? []} onClose={() => setEdited(null)} />
      )}
      <Confirm
        title={`Remove ${leaving?.email}?`}
        verb="Remove member"
        isOpen={leaving !== null}
        isBusy={remove.isPending}
        onClose={() => setLeaving(null)}
        onConfirm={() => leaving && remove.mutate({ params: { path: { lago_id: leaving.lago_id } } })}
      >
        They are signed out of this organization at once. What they did stays in the activity log under their
        address.
      </Confirm>
    </Settings>
  );
}

export async function copyLink(invite: Invite): Promise<void> {
  await navigator.clipboard.writeText(invite.url ?? "");
  notify.copied(`the link for ${invite.email}`);
}

export function Inviting({ roles, onClose }: { roles: Role[]; onClose: () => void }) {
  const invite = useChange("post", "/app/v1/invites", {
    isQuiet: true,
    touches: ["/app/v1/invites"],
    onDone: ({ invite: made }) => {
      notify.done(`Invited ${made.email}`, { label: "Copy link", act: () => void copyLink(made) });
    },
  });
  return (
    <Editor<{ email: string; roles: string[] }>
      title="Invite somebody"
      verb="Invite"
      values={{ email: "", roles: ["admin"] }}
      onClose={onClose}
      onSave={(values) => invite.mutateAsync({ body: { email: values.email.trim(), roles: values.roles } })}
    >
      {(form) => (
        <>
          <Field
            label="E-mail"
            hint="You get a link to hand over."
            error={messageOf(form.formState.errors, "email")}
          >
            <TextInput type="email" autoFocus {...form.register("email", NEEDED)} />
          </Field>
          <RoleChoices
            roles={roles}
            chosen={form.watch("roles")}
            onChange={(chosen) => form.setValue("roles", chosen, { shouldDirty: true })}
          />
        </>
      )}
    </Editor>
  );
}

export function RolesEditor({
  subject,
  roles,
  onClose,
}: {
  subject: Member | Invite;
  roles: Role[];
  onClose: () => void;
}) {
  const isMember = "lago_user_id" in subject;
  const touches = ["/app/v1/members", "/app/v1/invites", "/app/v1/roles"];
  const member = useChange("put", "/app/v1/members/{lago_id}", {
    done: "Roles changed",
    isQuiet: true,
    touches,
  });
  const invite = useChange("put", "/app/v1/invites/{lago_id}", {
    done: "Roles changed",
    isQuiet: true,
    touches,
  });
  return (
    <Editor<{ roles: string[] }>
      title={`Roles of ${subject.email}`}
      verb="Change roles"
      values={{ roles: subject.roles }}
      onClose={onClose}
      onSave={(body) => {
        const call = { params: { path: { lago_id: subject.lago_id } }, body };
        return isMember ? member.mutateAsync(call) : invite.mutateAsync(call);
      }}
    >
      {(form) => (
        <RoleChoices
          roles={roles}
          chosen={form.watch("roles")}
          onChange={(chosen) => form.setValue("roles", chosen, { shouldDirty: true })}
        />
      )}
    </Editor>
  );
}

function RoleChoices({
  roles,
  chosen,
  onChange,
}: {
  roles: Role[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
}) {
  return (
    <div className="form-fields">
      {roles.map((role) => (
        <Checkbox
          key={role.code}
          label={role.name}
          hint={role.description ?? `${role.permissions.length} permissions`}
          isOn={chosen.includes(role.code)}
          onChange={(isOn) =>
            onChange(isOn ? [...chosen, role.code] : chosen.filter((one) => one !== role.code))
          }
        />
      ))}
    </div>
  );
}
