"""Roles of an organization, its members, and those whom it invites (platform §6)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tallymark.api.role_permissions import PREDEFINED

LONGEST_CODE = 100
LONGEST_NAME = 100
LONGEST_DESCRIPTION = 255

INVITES = "invites"
"""Under what name the installation keeps the key of which the links of invitations are made."""

CODE = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What members may do together; a predefined one has no id and no dates."""

    id: UUID | None
    code: str
    name: str
    description: str | None
    permissions: tuple[str, ...]
    created_at: datetime | None = None

    @property
    def is_predefined(self) -> bool:
        """Whether every organization has it, and none can change it."""
        return self.code in PREDEFINED


PREDEFINED_ROLES = tuple(
    Role(id=None, code=code, name=code.capitalize(), description=None, permissions=tuple(sorted(names)))
    for code, names in PREDEFINED.items()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationMember:
    """Somebody who belongs to the organization."""

    id: UUID
    user_id: UUID
    email: str
    roles: tuple[str, ...]
    created_at: datetime


class InviteStatus(StrEnum):
    """What has become of an invitation."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """That somebody may join."""

    id: UUID
    organization_id: UUID
    email: str
    roles: tuple[str, ...]
    status: InviteStatus
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An invitation as whom it is for sees it."""

    invite: Invite
    organization_name: str
    authentication_methods: tuple[str, ...]
    clock: datetime | None
    """What a simulated organization's clock shows; None for a live one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFilters:
    """Which members a list shows; empty means any."""

    search: str = ""
    roles: tuple[str, ...] = ()


def invite_token(secret: bytes, invite_id: UUID) -> str:
    """The 40 hexadecimal digits of an invitation's link: always the same, and nobody finds them without the secret."""
    return hmac.new(secret, b"invite:" + invite_id.bytes, hashlib.sha256).hexdigest()[:40]


def without_repeats(roles: Sequence[str]) -> tuple[str, ...]:
    """Each role once, in the order in which they were named."""
    return tuple(dict.fromkeys(roles))
