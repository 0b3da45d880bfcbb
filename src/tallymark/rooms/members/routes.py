"""The doors to members, roles and invitations, the door of those who are invited, and the operator's to making members."""

from __future__ import annotations

from fastapi import Request, Response

from tallymark.api.context import Context, InContext
from tallymark.api.operators import operator_router, staff_of
from tallymark.api.pagination import InPage, Meta
from tallymark.api.permissions import permitted
from tallymark.api.role_permissions import PERMISSIONS
from tallymark.api.routing import member_router
from tallymark.api.sessions import app_router, cookie_of, look_for_session
from tallymark.api.tenant_limits import Limit, TenantLimits
from tallymark.api.wire import read_id
from tallymark.db.engine import Database
from tallymark.rooms.members.joining import Joining
from tallymark.rooms.members.model import Invite, InviteStatus, MemberFilters
from tallymark.rooms.members.schemas import (
    InvitationOutput,
    InvitationResponse,
    InviteOutput,
    InviteRequest,
    InviteResponse,
    InvitesResponse,
    JoinRequest,
    MemberOutput,
    MemberResponse,
    MembershipRequest,
    MembershipResponse,
    MembersResponse,
    NewRoleRequest,
    PermissionsResponse,
    RoleOutput,
    RoleRequest,
    RoleResponse,
    RolesRequest,
    RolesResponse,
)
from tallymark.rooms.members.service import invites, members, roles
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.users.routes import device_of

router = member_router("app: members")
open_router = app_router("app: invitations")
admin_router = operator_router()

MAY_INVITE = "organization:members:create"


@router.get("/permissions")
@permitted("roles:view")
async def list_permissions() -> PermissionsResponse:
    """List every permission that a role may hold."""
    return PermissionsResponse(permissions=sorted(PERMISSIONS))


@router.get("/roles")
@permitted("roles:view", "organization:members:view")
async def list_roles(context: InContext) -> RolesResponse:
    """List the predefined roles and the organization's own."""
    async with context.transaction() as tx:
        found = await roles.list_roles(tx)
    return RolesResponse(roles=[RoleOutput.of(role, count) for role, count in found])


@router.get("/roles/{code}")
@permitted("roles:view")
async def get_role(code: str, context: InContext) -> RoleResponse:
    """Read one role."""
    async with context.transaction() as tx:
        role, count = await roles.get_role(tx, code)
    return RoleResponse(role=RoleOutput.of(role, count))


@router.post("/roles")
@permitted("roles:create")
async def create_role(body: NewRoleRequest, context: InContext) -> RoleResponse:
    """Make a role."""
    async with context.transaction() as tx:
        role = await roles.create_role(tx, body.sent, now=context.now)
    return RoleResponse(role=RoleOutput.of(role, 0))


@router.put("/roles/{code}")
@permitted("roles:update")
async def update_role(code: str, body: RoleRequest, context: InContext) -> RoleResponse:
    """Change a role; a predefined one never."""
    async with context.transaction() as tx:
        await roles.update_role(tx, code, body.sent, now=context.now)
        role, count = await roles.get_role(tx, code)
    return RoleResponse(role=RoleOutput.of(role, count))


@router.delete("/roles/{code}", response_class=Response)
@permitted("roles:delete")
async def delete_role(code: str, context: InContext) -> Response:
    """Delete a role that nobody has."""
    async with context.transaction() as tx:
        await roles.delete_role(tx, code, now=context.now)
    return Response(status_code=200)


@router.get("/members")
@permitted("organization:members:view")
async def list_members(request: Request, context: InContext, page: InPage) -> MembersResponse:
    """List who belongs here, by address; `search` looks in addresses, `roles[]` for any of some roles."""
    query = request.query_params
    filters = MemberFilters(search=query.get("search", ""), roles=tuple(query.getlist("roles[]")))
    async with context.transaction() as tx:
        found, total = await members.list_members(tx, filters, page)
    return MembersResponse(members=[MemberOutput.of(one) for one in found], meta=Meta.of(page, total))


@router.put("/members/{lago_id}")
@permitted("organization:members:update")
async def change_member(lago_id: str, body: RolesRequest, context: InContext) -> MemberResponse:
    """Let a member be something else."""
    membership_id = read_id(lago_id, "membership")
    assert context.member is not None, "the web app's callers are members"
    async with context.transaction() as tx:
        changed = await members.change_roles(
            tx, membership_id, body.roles, by=context.member, now=context.now
        )
    return MemberResponse(member=MemberOutput.of(changed))


@router.delete("/members/{lago_id}")
@permitted("organization:members:delete")
async def revoke_member(lago_id: str, context: InContext) -> MemberResponse:
    """Let somebody belong here no more."""
    membership_id = read_id(lago_id, "membership")
    assert context.member is not None, "the web app's callers are members"
    async with context.transaction() as tx:
        gone = await members.revoke(tx, membership_id, by=context.member, now=context.now)
    return MemberResponse(member=MemberOutput.of(gone))


@router.get("/invites")
@permitted("organization:members:view")
async def list_invites(request: Request, context: InContext, page: InPage) -> InvitesResponse:
    """List who is invited and has not answered yet, newest first."""
    async with context.transaction() as tx:
        found, total = await invites.list_invites(tx, page)
    shown = [_shown(request, context, invite) for invite in found]
    return InvitesResponse(invites=shown, meta=Meta.of(page, total))


@router.post("/invites")
@permitted(MAY_INVITE)
async def create_invite(body: InviteRequest, request: Request, context: InContext) -> InviteResponse:
    """Invite somebody; the link in the answer is the inviter's to bring."""
    limits: TenantLimits = request.app.state.tenant_limits
    async with context.transaction() as tx:
        await limits.check(tx.connection, tx.organization_id, Limit.MEMBERS, now=context.now)
        made = await invites.create_invite(
            tx,
            request.app.state.invite_secret,
            email=body.email,
            roles=body.roles,
            by=context.member,
            now=context.now,
        )
    return InviteResponse(invite=_shown(request, context, made))


@router.put("/invites/{lago_id}")
@permitted("organization:members:update")
async def update_invite(
    lago_id: str, body: RolesRequest, request: Request, context: InContext
) -> InviteResponse:
    """Let somebody be something else once they join."""
    invite_id = read_id(lago_id, "invite")
    assert context.member is not None, "the web app's callers are members"
    async with context.transaction() as tx:
        changed = await invites.update_invite(tx, invite_id, body.roles, by=context.member, now=context.now)
    return InviteResponse(invite=_shown(request, context, changed))


@router.delete("/invites/{lago_id}")
@permitted("organization:members:delete")
async def revoke_invite(lago_id: str, request: Request, context: InContext) -> InviteResponse:
    """Take an invitation back."""
    async with context.transaction() as tx:
        gone = await invites.revoke_invite(tx, read_id(lago_id, "invite"), now=context.now)
    return InviteResponse(invite=_shown(request, context, gone))


@open_router.get("/invitations/{token}")
async def get_invitation(token: str, request: Request) -> InvitationResponse:
    """Read an invitation by its link: 404 `invite_not_found` when it is none any more."""
    database: Database = request.app.state.database
    async with database.system() as connection:
        invitation = await invites.get_invitation(connection, token)
    return InvitationResponse(invitation=InvitationOutput.of(invitation))


@open_router.post("/invitations/{token}", response_class=Response)
async def join(token: str, body: JoinRequest, request: Request) -> Response:
    """Join: signed in as who is invited, by one's password, or by setting one where one belongs nowhere yet."""
    joining: Joining = request.app.state.joining
    session = await look_for_session(request)
    begun = await joining.join(token, body.password, device_of(request), session)
    response = Response(status_code=200)
    if begun is not None:
        cookie_of(request).put(response, begun)
    return response


@admin_router.post("/memberships")
async def create_membership(body: MembershipRequest, request: Request) -> MembershipResponse:
    """Let a user belong to an organization, as an admin (platform §17)."""
    database: Database = request.app.state.database
    async with database.system() as connection:
        joined = await members.add_admin(
            connection,
            body.user_id,
            body.organization_id,
            device=device_of(request),
            by=staff_of(request),
            now=system_now(),
        )
    return MembershipResponse(membership=MemberOutput.of(joined))


def _shown(request: Request, context: Context, invite: Invite) -> InviteOutput:
    """An invitation with its link, for who may invite: whoever has the link may join."""
    may_see = context.member is not None and MAY_INVITE in context.member.permissions
    if not may_see or invite.status is not InviteStatus.PENDING:
        return InviteOutput.of(invite, None)
    state = request.app.state
    return InviteOutput.of(invite, invites.invite_url(state.app_url, state.invite_secret, invite))
