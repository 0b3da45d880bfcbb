/** Who is invited and has not answered yet. */
import { useQuery } from "@tanstack/react-query";
import { Link2, Pencil, Plus, Trash2 } from "lucide-react";
import { read, useChange } from "@/api/client";
import { useCan } from "@/app/session";
import { Day } from "@/ui/amounts";
import { Button } from "@/ui/basics";
import { List, useListState, useRows } from "@/ui/list";
import { useOpened, useOpenedRow } from "@/ui/opened";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { Empty } from "@/ui/states";
import type { Column } from "@/ui/table";
import { Settings } from "./layout";
import { copyLink, type Invite, Inviting, RolesEditor, rolesRead, wordsOfRoles } from "./members";

const keyOf = (invite: Invite) => invite.lago_id;

export function Invitations() {
  const can = useCan();
  const list = useListState();
  const invites = useRows(list, (asked) => read("/app/v1/invites", { params: { query: asked } }));
  const roles = useQuery(rolesRead()).data?.roles ?? [];
  const shown = invites.pages.flatMap((page) => page.invites);
  const [isInviting, setInviting] = useOpened("invite", can("organization:members:create"));
  const [edited, setEdited] = useOpenedRow("change-roles", shown, keyOf, can("organization:members:update"));
  const [revoked, setRevoked] = useOpenedRow("take-back", shown, keyOf, can("organization:members:delete"));
  const revoke = useChange("delete", "/app/v1/invites/{lago_id}", {
    done: "Invitation taken back",
    touches: ["/app/v1/invites"],
    onDone: () => setRevoked(null),
  });
  const invite = can("organization:members:create") && (
    <Button look="primary" size="sm" data-create="" onClick={() => setInviting(true)}>
      <Plus className="i" aria-hidden="true" />
      Invite
    </Button>
  );
  const columns: Column<Invite>[] = [
    { head: "Address", fold: "f1", cell: ({ email }) => <b className="med">{email}</b> },
    { head: "Roles", fold: "f3", cell: (one) => wordsOfRoles(one.roles, roles) },
    { head: "Invited", fold: "f2", cell: (one) => <Day value={one.created_at} /> },
  ];
  return (
    <Settings title="Invitations">
      <div>
        <List
          what="invitations"
          controls={list}
          query={invites}
          rowsOf={(page) => page.invites}
          columns={columns}
          keyOf={keyOf}
          toolbar={invite}
          actions={(one) => (
            <ActionMenu
              label={`Actions for ${one.email}`}
              actions={[
                {
                  label: "Copy link",
                  icon: <Link2 className="i" aria-hidden="true" />,
                  onSelect: () => void copyLink(one),
                  isShown: one.url !== null,
                },
                {
                  label: "Change roles",
                  icon: <Pencil className="i" aria-hidden="true" />,
                  onSelect: () => setEdited(one),
                  isShown: can("organization:members:update"),
                },
                {
                  label: "Take back",
                  icon: <Trash2 className="i" aria-hidden="true" />,
                  isDanger: true,
                  onSelect: () => setRevoked(one),
                  isShown: can("organization:members:delete"),
                },
              ]}
            />
          )}
          empty={
            <Empty title="Nobody is invited">
              Whoever was invited has joined, or the invitation was taken back.
            </Empty>
          }
        />
      </div>
      {isInviting && <Inviting roles={roles} onClose={() => setInviting(false)} />}
      {edited && <RolesEditor subject={edited} roles={roles} onClose={() => setEdited(null)} />}
      <Confirm
        title={`Take back the invitation of ${revoked?.email}?`}
        verb="Take back"
        isOpen={revoked !== null}
        isBusy={revoke.isPending}
        onClose={() => setRevoked(null)}
        onConfirm={() => revoked && revoke.mutate({ params: { path: { lago_id: revoked.lago_id } } })}
      >
        Its link stops working at once.
      </Confirm>
    </Settings>
  );
}
