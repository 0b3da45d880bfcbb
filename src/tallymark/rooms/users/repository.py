"""How users are kept. They belong to no one organization, so all but what an organization sees needs a system transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.context import Visit
from tallymark.api.role_permissions import ADMIN
from tallymark.db import links
from tallymark.db.tables import (
    guesses,
    memberships,
    organizations,
    password_resets,
    sign_ups,
    staff_visits,
    user_devices,
    user_sessions,
    users,
)
from tallymark.rooms.users.model import Membership, Session, User

Values = Mapping[str, Any]
Guesses = dict[bytes, tuple[int, datetime]]
"""How often, and until when that counts, by bucket."""

_MEMBERSHIPS = text("""
SELECT memberships.id, memberships.user_id, memberships.organization_id, organizations.name AS organization_name,
    organizations.slug AS organization_slug, organizations.authentication_methods, memberships.roles,
    entity.default_currency, entity.timezone,
    test_clocks.frozen_time + test_clocks.calls * interval '1 microsecond' AS clock,
    coalesce(
        (SELECT jsonb_object_agg(roles.code, roles.permissions) FROM roles
         WHERE roles.organization_id = memberships.organization_id AND roles.code = ANY (memberships.roles)),
        '{}'
    ) AS own_roles
FROM memberships
JOIN organizations ON organizations.id = memberships.organization_id
JOIN LATERAL (
    SELECT default_currency, timezone FROM billing_entities
    WHERE billing_entities.organization_id = organizations.id AND archived_at IS NULL
    ORDER BY created_at, id LIMIT 1
) AS entity ON true
LEFT JOIN test_clocks ON test_clocks.organization_id = organizations.id
WHERE memberships.status = 'active'
    AND (CAST(:user_id AS uuid) IS NULL OR memberships.user_id = :user_id)
    AND (CAST(:organization_id AS uuid) IS NULL OR organizations.id = :organization_id)
ORDER BY organizations.name, organizations.id
""")

# Counts are locked in one order by all, or by nobody who would have to wait.
_FORGIVE = text("""
UPDATE guesses SET count = count - 1
FROM (SELECT bucket FROM guesses WHERE bucket = ANY (CAST(:buckets AS bytea[])) ORDER BY bucket FOR UPDATE) AS locked
WHERE guesses.bucket = locked.bucket
""")
_FORGET_GUESSES = text("""
DELETE FROM guesses WHERE bucket IN (SELECT bucket FROM guesses WHERE until <= :now FOR UPDATE SKIP LOCKED)
""")


async def insert_user(connection: AsyncConnection, values: Values) -> bool:
    """Keep a user; False where there is one with the address."""
    try:
        async with connection.begin_nested():
            await connection.execute(insert(users), dict(values))
    except IntegrityError:
        return False
    return True


async def find_user(
    connection: AsyncConnection,
    *,
    email: str | None = None,
    user_id: UUID | None = None,
    is_locked: bool = False,
) -> User | None:
    wanted = users.c.id == user_id if user_id is not None else users.c.email == email
    statement = select(users).where(wanted)
    row = (await connection.execute(statement.with_for_update() if is_locked else statement)).first()
    return _as_user(row) if row else None


async def has_users(connection: AsyncConnection) -> bool:
    return (await connection.execute(select(users.c.id).limit(1))).first() is not None


async def list_users(connection: AsyncConnection) -> list[User]:
    return [_as_user(row) for row in await connection.execute(select(users).order_by(users.c.email))]


async def set_password(
    connection: AsyncConnection, user_id: UUID, password_hash: str, *, now: datetime
) -> None:
    values = {"password_hash": password_hash, "updated_at": now}
    await connection.execute(update(users).where(users.c.id == user_id).values(**values))


async def set_suspended(
    connection: AsyncConnection, user_id: UUID, at: datetime | None, *, now: datetime
) -> None:
    values = {"suspended_at": at, "updated_at": now}
    await connection.execute(update(users).where(users.c.id == user_id).values(**values))


async def insert_membership(connection: AsyncConnection, values: Values) -> None:
    await connection.execute(insert(memberships), dict(values))


async def list_memberships(
    connection: AsyncConnection, user_id: UUID | None, *, organization_id: UUID | None = None
) -> list[Membership]:
    """The live memberships of a user, or of everybody; all of them or those of one organization."""
    found = await connection.execute(_MEMBERSHIPS, {"user_id": user_id, "organization_id": organization_id})
    return [_as_membership(row) for row in found]


async def list_admins(connection: AsyncConnection, organization_id: UUID) -> list[tuple[str, str]]:
    """The addresses of an organization's admins, each with the organization's name."""
    column = memberships.c
    statement = (
        select(users.c.email, organizations.c.name)
        .join(memberships, column.user_id == users.c.id)
        .join(organizations, organizations.c.id == column.organization_id)
        .where(
            column.organization_id == organization_id,
            column.status == "active",
            column.roles.contains([ADMIN]),
        )
        .order_by(users.c.email)
    )
    return [(row.email, row.name) for row in await connection.execute(statement)]


async def insert_session(connection: AsyncConnection, values: Values) -> None:
    await connection.execute(insert(user_sessions), dict(values))


async def find_session(connection: AsyncConnection, token_hash: bytes, *, now: datetime) -> Session | None:
    """A session that has not ended."""
    column = user_sessions.c
    shown = (
        column.id,
        column.user_id,
        users.c.email,
        column.login_method,
        column.expires_at,
        column.provider_organization_id.label("organization_id"),
        column.visit_id,
        staff_visits.c.login,
        staff_visits.c.reason,
        staff_visits.c.is_read_only,
    )
    statement = (
        select(*shown)
        .join(users, users.c.id == column.user_id)
        .join(staff_visits, staff_visits.c.id == column.visit_id, isouter=True)
        .where(column.token_hash == token_hash, column.expires_at > now, users.c.suspended_at.is_(None))
    )
    row = (await connection.execute(statement)).first()
    return _as_session(row) if row else None


async def prolong_session(connection: AsyncConnection, session_id: UUID, *, until: datetime) -> None:
    await connection.execute(
        update(user_sessions).where(user_sessions.c.id == session_id).values(expires_at=until)
    )


async def delete_session(connection: AsyncConnection, token_hash: bytes, *, now: datetime) -> None:
    """End a session; the visit of staff that it is ends with it."""
    column = user_sessions.c
    gone = delete(user_sessions).where(column.token_hash == token_hash).returning(column.visit_id)
    visit_id = (await connection.execute(gone)).scalar_one_or_none()
    if visit_id is not None:
        visit = staff_visits.c
        over = update(staff_visits).where(visit.id == visit_id, visit.ended_at.is_(None))
        await connection.execute(over.values(ended_at=now))


async def delete_visit(connection: AsyncConnection, visit_id: UUID) -> None:
    await connection.execute(delete(user_sessions).where(user_sessions.c.visit_id == visit_id))


async def delete_sessions(connection: AsyncConnection, user_id: UUID, *, keep: UUID | None = None) -> int:
    """End the sessions of a user, all or all but one; returns how many."""
    column = user_sessions.c
    statement = delete(user_sessions).where(column.user_id == user_id)
    ended = await connection.execute(statement if keep is None else statement.where(column.id != keep))
    return ended.rowcount


async def delete_ended(connection: AsyncConnection, *, now: datetime) -> None:
    """Delete sessions, links and counts that are over."""
    ends = (user_sessions.c.expires_at, password_resets.c.expires_at, sign_ups.c.expires_at)
    await links.delete_over(connection, *ends, now=now)
    await connection.execute(_FORGET_GUESSES, {"now": now})


async def note_device(
    connection: AsyncConnection, user_id: UUID, fingerprint: bytes, *, now: datetime
) -> bool:
    """Remember a device; False for one that was known."""
    values = {"user_id": user_id, "fingerprint": fingerprint, "created_at": now}
    statement = upsert(user_devices).values(**values).on_conflict_do_nothing()
    return (await connection.execute(statement.returning(user_devices.c.user_id))).first() is not None


async def keep_reset(
    connection: AsyncConnection, user_id: UUID, token_hash: bytes, *, until: datetime
) -> None:
    """Keep a link to another password, in place of one that was sent before."""
    values = {"token_hash": token_hash, "expires_at": until}
    statement = upsert(password_resets).values(user_id=user_id, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))


async def find_reset(connection: AsyncConnection, token_hash: bytes, *, now: datetime) -> UUID | None:
    """Whose password a link sets, as long as it does."""
    return await links.find_holder(connection, password_resets.c.user_id, token_hash, now=now)


async def take_reset(connection: AsyncConnection, token_hash: bytes, *, now: datetime) -> UUID | None:
    """Use a link up; None where somebody has, or its time is over."""
    return await links.take(connection, password_resets.c.user_id, token_hash, now=now)


async def drop_reset(connection: AsyncConnection, user_id: UUID) -> None:
    await connection.execute(delete(password_resets).where(password_resets.c.user_id == user_id))


async def keep_sign_up(
    connection: AsyncConnection, email: str, token_hash: bytes, *, until: datetime
) -> None:
    """Keep the link that an address is sent, in place of one that was sent before."""
    values = {"token_hash": token_hash, "expires_at": until}
    statement = upsert(sign_ups).values(email=email, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["email"], set_=values))


async def find_sign_up(connection: AsyncConnection, token_hash: bytes, *, now: datetime) -> str | None:
    """To which address a link was sent, as long as it leads anywhere."""
    return await links.find_holder(connection, sign_ups.c.email, token_hash, now=now)


async def take_sign_up(connection: AsyncConnection, token_hash: bytes, *, now: datetime) -> str | None:
    """Use a link up; None where somebody has, or its time is over."""
    return await links.take(connection, sign_ups.c.email, token_hash, now=now)


async def count_guesses(
    connection: AsyncConnection, buckets: Sequence[bytes], *, now: datetime, until: datetime
) -> Guesses:
    """Count one more in each bucket, from one on where its time was over."""
    rows = [{"bucket": bucket, "count": 1, "until": until} for bucket in sorted(set(buckets))]
    statement = upsert(guesses).values(rows)
    is_over = guesses.c.until <= now
    counted = statement.on_conflict_do_update(
        index_elements=["bucket"],
        set_={
            "count": case((is_over, 1), else_=guesses.c.count + 1),
            "until": case((is_over, statement.excluded.until), else_=guesses.c.until),
        },
    ).returning(guesses.c.bucket, guesses.c.count, guesses.c.until)
    return {bucket: (tries, ends) for bucket, tries, ends in await connection.execute(counted)}


async def forgive_guesses(connection: AsyncConnection, buckets: Sequence[bytes]) -> None:
    await connection.execute(_FORGIVE, {"buckets": list(buckets)})


def _as_user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        email=row.email,
        password_hash=row.password_hash,
        created_at=row.created_at,
        suspended_at=row.suspended_at,
    )


def _as_session(row: Any) -> Session:
    visit = row.visit_id and Visit(
        id=row.visit_id,
        staff=row.login,
        reason=row.reason,
        is_read_only=row.is_read_only,
        expires_at=row.expires_at,
    )
    return Session(
        id=row.id,
        user_id=row.user_id,
        email=row.email,
        login_method=row.login_method,
        expires_at=row.expires_at,
        organization_id=row.organization_id,
        visit=visit,
    )


def _as_membership(row: Row[Any]) -> Membership:
    values = dict(row._mapping)
    for name in ("roles", "authentication_methods"):
        values[name] = tuple(values[name])
    values["own_roles"] = {code: tuple(names) for code, names in row.own_roles.items()}
    return Membership(**values)
