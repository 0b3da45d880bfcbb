"""The audit of staff: what those who run the installation do, noted in the transaction that does it (decision 41)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Identifier, Placeholder
from psycopg.types.json import Jsonb
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Tx, leave_tenant
from tallymark.db.ids import new_id
from tallymark.db.tables import staff_deeds

OPERATOR = "operator"
"""Who is noted where all that is known is that they have the admin API's key, or the installation's shell."""


class Via(StrEnum):
    """How somebody has shown who they are."""

    TAILSCALE = "tailscale"
    LINK = "link"
    SHELL = "shell"
    KEY = "admin_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Somebody who runs the installation, and how we know."""

    login: str
    via: Via
    ip_address: str | None = None


AT_THE_SHELL = Staff(login=OPERATOR, via=Via.SHELL)
"""Whoever runs commands."""


class Verb(StrEnum):
    """What staff do."""

    MADE_LINK = "made_link"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SUSPENDED = "suspended"
    REINSTATED = "reinstated"
    ENDED_SESSIONS = "ended_sessions"
    RETRIED = "retried"
    DISCARDED = "discarded"
    UNPARKED = "unparked"
    SENT_AGAIN = "sent_again"
    VISITED = "visited"
    ENDED_VISIT = "ended_visit"
    TURNED_ON = "turned_on"
    TURNED_OFF = "turned_off"
    LIMITED = "limited"
    CREATED = "created"
    CHANGED = "changed"
    ROTATED = "rotated"
    DELETED = "deleted"
    ADMITTED = "admitted"
    GAVE_PASSWORD = "gave_password"
    REBUILT = "rebuilt"
    ARCHIVED = "archived"
    RESTORED = "restored"
    RESUMED = "resumed"
    GRANTED = "granted"
    REVOKED = "revoked"
    IMPORTED = "imported"
    COMPARED = "compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that was done, to what, why, and what it changed."""

    verb: Verb
    subject_type: str
    subject_id: str
    subject: str
    organization_id: UUID | None = None
    reason: str | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


def of_installation(verb: Verb, subject: str, *, after: Mapping[str, Any] | None = None) -> Deed:
    """Something that was done to all of it."""
    return Deed(
        verb=verb, subject_type="installation", subject_id=subject, subject=subject, after=after or {}
    )


async def note(connection: AsyncConnection, staff: Staff, deed: Deed, *, now: datetime) -> None:
    """Note what somebody did; needs a system transaction."""
    await connection.execute(insert(staff_deeds).values(**_row(staff, deed, now=now)))


async def note_last(tx: Tx, staff: Staff, deed: Deed, *, now: datetime) -> None:
    """Note what somebody did in an organization's transaction, which goes on as the system's: nothing of the organization comes after."""
    await leave_tenant(tx)
    await note(tx.connection, staff, deed, now=now)


def note_beside(connection: psycopg.Connection, staff: Staff, deed: Deed, *, now: datetime) -> None:
    """Note what somebody did with roles of the database, in the transaction of that."""
    row = _row(staff, deed, now=now)
    values = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in row.items()}
    statement = SQL("INSERT INTO staff_deeds ({}) VALUES ({})").format(
        SQL(", ").join(map(Identifier, values)), SQL(", ").join(map(Placeholder, values))
    )
    connection.execute(statement, values)


def _row(staff: Staff, deed: Deed, *, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "login": staff.login,
        "via": staff.via.value,
        "ip_address": staff.ip_address,
        "verb": deed.verb.value,
        "subject_type": deed.subject_type,
        "subject_id": deed.subject_id,
        "subject": deed.subject,
        "about_organization_id": deed.organization_id,
        "reason": deed.reason,
        "before": dict(deed.before) or None,
        "after": dict(deed.after) or None,
        "created_at": now,
    }
