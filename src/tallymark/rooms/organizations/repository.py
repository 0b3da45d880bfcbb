"""How tenants are kept. The system's own transactions find them; everything else sees one organization."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Row, bindparam, delete, func, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.conditions import among_given
from tallymark.db.engine import Tx
from tallymark.db.entities import active_entities
from tallymark.db.tables import (
    api_keys,
    billing_entities,
    organization_limits,
    organization_switches,
    organizations,
    secrets,
    test_clocks,
)
from tallymark.rooms.organizations.model import (
    ApiKey,
    BillingEntity,
    Entry,
    EventCorrectionPolicy,
    LateEventPolicy,
    Metering,
    Organization,
    TestClock,
)

Values = Mapping[str, Any]


_ENTRIES = select(
    organizations.c.id,
    organizations.c.name,
    organizations.c.slug,
    organizations.c.created_at,
    test_clocks.c.frozen_time,
).outerjoin(test_clocks, test_clocks.c.organization_id == organizations.c.id)


async def insert_organization(connection: AsyncConnection, values: Values) -> None:
    await connection.execute(insert(organizations), dict(values))


async def is_slug_taken(connection: AsyncConnection, slug: str) -> bool:
    found = await connection.execute(select(organizations.c.id).where(organizations.c.slug == slug))
    return found.first() is not None


async def has_organizations(connection: AsyncConnection) -> bool:
    return (await connection.execute(select(organizations.c.id).limit(1))).first() is not None


async def list_organizations(connection: AsyncConnection) -> list[Entry]:
    """Every organization, the oldest first."""
    oldest_first = _ENTRIES.order_by(organizations.c.created_at, organizations.c.id)
    return [Entry(**row._mapping) for row in await connection.execute(oldest_first)]


async def lock_names(connection: AsyncConnection) -> None:
    """Hold the names of organizations for this transaction."""
    await connection.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended("organization-names", 0)))
    )


async def find_entry(connection: AsyncConnection, organization_id: UUID) -> Entry | None:
    row = (await connection.execute(_ENTRIES.where(organizations.c.id == organization_id))).first()
    return Entry(**row._mapping) if row else None


async def insert_billing_entity(connection: AsyncConnection, values: Values) -> None:
    await connection.execute(insert(billing_entities), dict(values))


async def insert_api_key(connection: AsyncConnection, values: Values) -> None:
    await connection.execute(insert(api_keys), dict(values))


async def insert_test_clock(
    connection: AsyncConnection, organization_id: UUID, frozen_time: datetime
) -> None:
    values = {"organization_id": organization_id, "frozen_time": frozen_time}
    await connection.execute(insert(test_clocks), values)


async def find_principal(connection: AsyncConnection, key_hash: bytes) -> Row[Any] | None:
    """The key's id, organization, expiry and permissions, whether the organization has a clock, and how many events it may send."""
    statement = (
        select(
            api_keys.c.id,
            api_keys.c.organization_id,
            api_keys.c.expires_at,
            api_keys.c.permissions,
            test_clocks.c.organization_id.is_not(None).label("is_simulated"),
            organization_limits.c.events_per_minute,
            organization_limits.c.events_per_month,
            select(organization_switches.c.switch)
            .where(
                organization_switches.c.organization_id == api_keys.c.organization_id,
                organization_switches.c.switch == "turn_events_away",
            )
            .exists()
            .label("turns_events_away"),
        )
        .outerjoin(test_clocks, test_clocks.c.organization_id == api_keys.c.organization_id)
        .outerjoin(organization_limits, organization_limits.c.organization_id == api_keys.c.organization_id)
        .where(api_keys.c.key_hash == key_hash)
    )
    return (await connection.execute(statement)).first()


async def insert_switch(
    connection: AsyncConnection, organization_id: UUID, switch: str, *, now: datetime
) -> bool:
    """False where it is on already."""
    values = {"organization_id": organization_id, "switch": switch, "since": now}
    statement = upsert(organization_switches).values(**values).on_conflict_do_nothing()
    return (await connection.execute(statement.returning(organization_switches.c.switch))).first() is not None


async def delete_switch(connection: AsyncConnection, organization_id: UUID, switch: str) -> bool:
    """False where it is off already."""
    column = organization_switches.c
    statement = delete(organization_switches).where(
        column.organization_id == organization_id, column.switch == switch
    )
    return (await connection.execute(statement.returning(column.switch))).first() is not None


async def has_switch(tx: Tx, switch: str) -> bool:
    statement = select(organization_switches.c.switch).where(organization_switches.c.switch == switch)
    return (await tx.execute(statement)).first() is not None


async def record_key_use(
    connection: AsyncConnection, key_id: UUID, *, ending: str | None, at: datetime
) -> None:
    """Note a use of a key, and how its value ends where the key is older than that was kept."""
    noted = {"last_used_at": at, "ending": func.coalesce(api_keys.c.ending, ending)}
    await connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(noted))


async def update_api_key(tx: Tx, key_id: UUID, values: Values) -> None:
    await tx.execute(update(api_keys).where(api_keys.c.id == key_id).values(**values))


async def list_api_keys(tx: Tx) -> list[ApiKey]:
    columns = (api_keys.c[name] for name in ApiKey.__slots__)
    rows = await tx.execute(select(*columns).order_by(api_keys.c.created_at, api_keys.c.id))
    return [ApiKey(**row._mapping) for row in rows]


_IS_ADVANCING = literal_column(
    """(status = 'advancing' AND EXISTS (
        SELECT FROM pg_locks, hashtextextended('clock:' || organization_id, 0) AS lock_number
        WHERE locktype = 'advisory' AND objsubid = 1 AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND classid::bigint = (lock_number >> 32) & 4294967295 AND objid::bigint = lock_number & 4294967295))""",
    Boolean,
).label("is_advancing")
"""Whether the clock moves: somebody said so, and still holds its lock. What a dead process said counts for nothing."""

_CLOCK = (test_clocks.c.frozen_time, test_clocks.c.calls, _IS_ADVANCING)


async def tick_clock(connection: AsyncConnection, organization_id: UUID) -> TestClock | None:
    """Count one more request and read the clock; None for a live organization."""
    row = (await connection.execute(_TICK, {"of": organization_id})).first()
    return _as_clock(row) if row else None


_TICK = (
    update(test_clocks)
    .where(test_clocks.c.organization_id == bindparam("of"))
    .values(calls=test_clocks.c.calls + 1)
    .returning(*_CLOCK)
)


async def find_clock(tx: Tx) -> TestClock | None:
    row = (await tx.execute(select(*_CLOCK))).first()
    return _as_clock(row) if row else None


async def set_clock_status(tx: Tx, status: str) -> None:
    await tx.execute(update(test_clocks).values(status=status))


async def move_clock(tx: Tx, to: datetime) -> None:
    await tx.execute(update(test_clocks).values(frozen_time=to, calls=0))


async def get_organization(tx: Tx) -> Organization:
    row = (await tx.execute(select(organizations))).one()
    return Organization(
        id=row.id,
        name=row.name,
        slug=row.slug,
        document_number_prefix=row.document_number_prefix,
        max_wallets=row.max_wallets,
        created_at=row.created_at,
        billing_entity=await get_default_entity(tx),
        metering=_as_metering(row),
    )


async def get_metering(tx: Tx) -> Metering:
    """How late events are treated, and corrections."""
    column = organizations.c
    statement = select(
        column.late_event_window_days, column.late_event_policy, column.event_correction_policy
    )
    return _as_metering((await tx.execute(statement)).one())


def _as_metering(row: Row[Any]) -> Metering:
    return Metering(
        late_event_window_days=row.late_event_window_days,
        late_event_policy=LateEventPolicy(row.late_event_policy),
        event_correction_policy=EventCorrectionPolicy(row.event_correction_policy),
    )


async def update_organization(tx: Tx, values: Values) -> bool:
    """Write columns; False when another organization has the slug, whom this transaction can't see."""
    try:
        async with tx.connection.begin_nested():
            await tx.execute(update(organizations).values(**values))
    except IntegrityError:
        return False
    return True


async def get_default_entity(tx: Tx) -> BillingEntity:
    """The oldest active entity is the default one (platform §4)."""
    return _as_entity((await tx.execute(active_entities(billing_entities).limit(1))).one())


async def find_entity(tx: Tx, *, code: str) -> BillingEntity | None:
    statement = select(billing_entities).where(
        billing_entities.c.code == code, billing_entities.c.archived_at.is_(None)
    )
    row = (await tx.execute(statement)).first()
    return _as_entity(row) if row else None


async def list_entities(tx: Tx) -> list[BillingEntity]:
    return [_as_entity(row) for row in await tx.execute(active_entities(billing_entities))]


async def known_entity_codes(tx: Tx, codes: Collection[str]) -> set[str]:
    """Which of these codes an entity has, archived ones included."""
    rows = await tx.execute(select(billing_entities.c.code).where(billing_entities.c.code.in_(codes)))
    return set(rows.scalars())


async def get_entities(tx: Tx, ids: set[UUID]) -> dict[UUID, BillingEntity]:
    """Entities by id, archived ones included: old documents name them."""
    rows = await tx.execute(_ENTITIES, {"ids": list(ids)})
    return {row.id: _as_entity(row) for row in rows}


_ENTITIES = select(billing_entities).where(among_given(billing_entities.c.id, "ids"))


async def update_entity(tx: Tx, entity_id: UUID, values: Values) -> None:
    if values:
        await tx.execute(update(billing_entities).where(billing_entities.c.id == entity_id).values(**values))


async def take_customer_number(tx: Tx) -> int:
    """The next number of the organization's sequence of customers; it is locked until the transaction ends."""
    statement = (
        update(organizations)
        .values(last_customer_number=organizations.c.last_customer_number + 1)
        .returning(organizations.c.last_customer_number)
    )
    return int((await tx.execute(statement)).scalar_one())


async def find_secret(connection: AsyncConnection, name: str) -> bytes | None:
    return (
        await connection.execute(select(secrets.c.value).where(secrets.c.name == name))
    ).scalar_one_or_none()


async def keep_secret(connection: AsyncConnection, name: str, fresh: bytes) -> None:
    """Keep a key, unless somebody else was quicker."""
    await connection.execute(upsert(secrets).values(name=name, value=fresh).on_conflict_do_nothing())


async def delete_secret(connection: AsyncConnection, name: str) -> bool:
    statement = delete(secrets).where(secrets.c.name == name).returning(secrets.c.name)
    return (await connection.execute(statement)).first() is not None


async def get_hmac_key(tx: Tx) -> UUID:
    """What the organization's webhooks are signed with."""
    key: UUID = (await tx.execute(select(organizations.c.hmac_key))).scalar_one()
    return key


def _as_clock(row: Row[Any]) -> TestClock:
    return TestClock(frozen_time=row.frozen_time, calls=row.calls, is_advancing=row.is_advancing)


def _as_entity(row: Row[Any]) -> BillingEntity:
    values = dict(row._mapping)
    for unused in ("organization_id", "archived_at"):
        del values[unused]
    return BillingEntity(**{**values, "email_settings": tuple(values["email_settings"])})
