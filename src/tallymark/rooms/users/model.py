"""Who signs in, by what, and where they belong."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from tallymark.api.context import Visit
from tallymark.api.role_permissions import permissions_of
from tallymark.domain.errors import Invalid

SESSION_LASTS = timedelta(hours=3)
RENEWED_WITHIN = timedelta(hours=1)
"""A session that is used in its last hour lasts for another three (platform §7)."""

RESET_LASTS = timedelta(minutes=30)
SIGN_UP_LASTS = timedelta(hours=24)
LONGEST_PASSWORD = 1000
LONGEST_ADDRESS = 255
STAFF_VISIT = "staff_visit"
"""By what staff have come who look in as a user: no method of signing in, and none that an organization takes or refuses."""

LONGEST_NAME = 255

_ADDRESS = re.compile(r"[^@\s,;<>()\"\\]+@[^@\s,;<>()\"\\.]+(\.[^@\s,;<>()\"\\.]+)+")


class LoginMethod(StrEnum):
    """By what somebody signs in; an organization says which it takes (platform §7)."""

    EMAIL_PASSWORD = "email_password"
    GOOGLE_OAUTH = "google_oauth"
    OKTA = "okta"
    ENTRA_ID = "entra_id"
    OIDC = "oidc"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with one address, whatever they belong to."""

    id: UUID
    email: str
    password_hash: str | None = field(repr=False)
    created_at: datetime
    suspended_at: datetime | None = None
    """Since when whoever runs the installation keeps them out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """That a user belongs to an organization, and what they may do there."""

    id: UUID
    user_id: UUID
    organization_id: UUID
    organization_name: str
    organization_slug: str
    default_currency: str
    timezone: str
    authentication_methods: tuple[str, ...]
    roles: tuple[str, ...]
    own_roles: Mapping[str, tuple[str, ...]]
    """What those of the roles may do that are the organization's own."""
    clock: datetime | None
    """What a simulated organization's clock shows; None for a live one."""

    @property
    def permissions(self) -> frozenset[str]:
        """What the member may do: all that the roles hold together."""
        return permissions_of(self.roles, self.own_roles)

    def is_open_to(self, method: str, organization_id: UUID | None) -> bool:
        """Whether somebody may enter who signed in so, by the provider of an organization if by any; staff, whatever it takes."""
        is_taken = method == STAFF_VISIT or method in self.authentication_methods
        return is_taken and organization_id in (None, self.organization_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who has signed in."""

    id: UUID
    user_id: UUID
    email: str
    login_method: str
    expires_at: datetime
    organization_id: UUID | None
    """Whose provider let them in; they may enter no other organization."""
    visit: Visit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What somebody calls from."""

    user_agent: str
    ip_address: str | None

    @property
    def fingerprint(self) -> bytes:
        """The same for the same kind of device."""
        return hashlib.sha256(self.user_agent.encode()).digest()


def read_address(text: str) -> str:
    """An address in the form in which it is kept. Raises `Invalid` on `email`.

    >>> read_address(" Ilse@Orrery.Example ")
    'ilse@orrery.example'
    """
    address = text.strip().lower()
    if not address:
        raise Invalid({"email": ["value_is_mandatory"]})
    if len(address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise Invalid({"email": ["invalid_email_format"]})
    return address


def check_password(password: str, *, name: str = "password", missing: str = "value_is_mandatory") -> None:
    """Let a new password be set: any but none, and none so long that hashing it takes for ever. Raises `Invalid`."""
    if not password:
        raise Invalid({name: [missing]})
    if len(password) > LONGEST_PASSWORD:
        raise Invalid({name: ["value_is_too_long"]})


def new_token() -> str:
    """What lets somebody in: 40 hexadecimal digits that nobody can guess."""
    return secrets.token_hex(20)


def hash_token(token: str) -> bytes:
    """What is kept of a token. Tokens are long and random, so one round of SHA-256 is enough."""
    return hashlib.sha256(token.encode()).digest()
