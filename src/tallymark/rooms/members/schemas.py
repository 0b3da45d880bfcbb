"""How roles, members and invitations look to the web app (decision 25). Bodies are flat."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.pagination import Meta
from tallymark.api.wire import Input, Instant, RecordId, Text
from tallymark.rooms.members.model import Invitation, Invite, OrganizationMember, Role


class NewRoleRequest(Input):
    code: Text | None = None
    name: Text | None = None
    description: Text | None = None
    permissions: Any = None


class RoleRequest(NewRoleRequest):
    """What is not sent stays."""


class RolesRequest(Input):
    roles: tuple[str, ...] = ()


class InviteRequest(RolesRequest):
    email: Text = ""


class JoinRequest(Input):
    password: Text = ""


class MembershipRequest(Input):
    """`POST /admin/memberships` (platform §17)."""

    user_id: RecordId
    organization_id: RecordId


class RoleOutput(BaseModel):
    lago_id: UUID | None
    code: str
    name: str
    description: str | None
    permissions: list[str]
    is_predefined: bool
    members_count: int
    created_at: Instant | None

    @classmethod
    def of(cls, role: Role, members: int) -> RoleOutput:
        """Show a role with the number of its members."""
        return cls(
            lago_id=role.id,
            code=role.code,
            name=role.name,
            description=role.description,
            permissions=list(role.permissions),
            is_predefined=role.is_predefined,
            members_count=members,
            created_at=role.created_at,
        )


class RoleResponse(BaseModel):
    role: RoleOutput


class RolesResponse(BaseModel):
    roles: list[RoleOutput]


class PermissionsResponse(BaseModel):
    permissions: list[str]


class MemberOutput(BaseModel):
    lago_id: UUID
    lago_user_id: UUID
    email: str
    roles: list[str]
    created_at: Instant

    @classmethod
    def of(cls, member: OrganizationMember) -> MemberOutput:
        """Show a member."""
        return cls(
            lago_id=member.id,
            lago_user_id=member.user_id,
            email=member.email,
            roles=list(member.roles),
            created_at=member.created_at,
        )


class MemberResponse(BaseModel):
    member: MemberOutput


class MembershipResponse(BaseModel):
    membership: MemberOutput


class MembersResponse(BaseModel):
    members: list[MemberOutput]
    meta: Meta


class InviteOutput(BaseModel):
    lago_id: UUID
    email: str
    roles: list[str]
    status: str
    url: str | None
    """Where whom it is for joins; null for who may not invite."""
    created_at: Instant

    @classmethod
    def of(cls, invite: Invite, url: str | None) -> InviteOutput:
        """Show an invitation."""
        return cls(
            lago_id=invite.id,
            email=invite.email,
            roles=list(invite.roles),
            status=invite.status.value,
            url=url,
            created_at=invite.created_at,
        )


class InviteResponse(BaseModel):
    invite: InviteOutput


class InvitesResponse(BaseModel):
    invites: list[InviteOutput]
    meta: Meta


class InvitationOutput(BaseModel):
    email: str
    organization_name: str
    authentication_methods: list[str]

    @classmethod
    def of(cls, invitation: Invitation) -> InvitationOutput:
        """Show an invitation to whom it is for."""
        return cls(
            email=invitation.invite.email,
            organization_name=invitation.organization_name,
            authentication_methods=list(invitation.authentication_methods),
        )


class InvitationResponse(BaseModel):
    invitation: InvitationOutput
