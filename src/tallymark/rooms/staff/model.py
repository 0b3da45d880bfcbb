"""Who staff are, and how they look in (decision 41)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tallymark.domain.errors import Invalid

LINK_LASTS = timedelta(minutes=10)
SESSION_LASTS = timedelta(hours=3)
VISIT_LINK_LASTS = timedelta(minutes=1)
VISIT_MINUTES = (15, 30, 60, 120)
"""For how long a visit may be."""

LONGEST_LOGIN = 255
LONGEST_REASON = 500

_LOGIN = re.compile(r"[^\s@,*]+@[^\s@,*]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The member as whom staff may look in."""

    user_id: UUID
    email: str
    organization_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit that somebody has asked for."""

    id: UUID
    login: str
    user_id: UUID
    organization_id: UUID
    expires_at: datetime


class StaffList:
    """Whom the tailnet may sign in: logins, and `*@domain` for everybody of a domain.

    >>> staff = StaffList("Ann@acme.test, *@ops.acme.test")
    >>> [staff.admits(login) for login in ("ann@acme.test", "bob@ops.acme.test", "bob@acme.test", "x@evil-ops.acme.test")]
    [True, True, False, False]
    >>> StaffList(None).admits("ann@acme.test")
    False
    """

    def __init__(self, listed: str | None) -> None:
        entries = {entry.strip().lower() for entry in (listed or "").split(",")}
        self._domains = {entry[2:] for entry in entries if entry.startswith("*@")}
        self._logins = entries - {""}

    def admits(self, login: str) -> bool:
        """Whether a login is on it; what is no login never is."""
        if not _LOGIN.fullmatch(login):
            return False
        lowered = login.lower()
        return lowered in self._logins or lowered.rpartition("@")[2] in self._domains


def read_login(text: str) -> str:
    """A login as it is kept: like an e-mail address. Raises `Invalid` on `login`.

    >>> read_login(" Ann@Acme.test ")
    'ann@acme.test'
    """
    login = text.strip().lower()
    if not login:
        raise Invalid({"login": ["value_is_mandatory"]})
    if len(login) > LONGEST_LOGIN or not _LOGIN.fullmatch(login):
        raise Invalid({"login": ["invalid_email_format"]})
    return login


def read_reason(text: str) -> str:
    """Why somebody does something; nothing is done without one. Raises `Invalid` on `reason`."""
    reason = " ".join(text.replace("\x00", "").split())
    if not reason:
        raise Invalid({"reason": ["value_is_mandatory"]})
    if len(reason) > LONGEST_REASON:
        raise Invalid({"reason": ["value_is_too_long"]})
    return reason
