"""How providers and tries are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Tx
from tallymark.db.tables import identity_providers, organizations, sso_attempts, test_clocks
from tallymark.rooms.sso.model import Attempt, IdentityProvider, ProviderSettings, Ticket
from tallymark.rooms.users.model import LoginMethod

Values = Mapping[str, Any]


async def list_providers(tx: Tx) -> list[IdentityProvider]:
    rows = await tx.execute(select(identity_providers).order_by(identity_providers.c.kind))
    return [_as_provider(row) for row in rows]


async def save_provider(tx: Tx, values: Values) -> bool:
    """Keep a provider in place of one of its kind; False when another organization has the domain, whom this transaction can't see."""
    statement = upsert(identity_providers).values(**values)
    changed = {name: value for name, value in values.items() if name not in ("id", "created_at")}
    try:
        async with tx.connection.begin_nested():
            await tx.execute(
                statement.on_conflict_do_update(index_elements=["organization_id", "kind"], set_=changed)
            )
    except IntegrityError:
        return False
    return True


async def delete_provider(tx: Tx, kind: LoginMethod) -> None:
    await tx.execute(delete(identity_providers).where(identity_providers.c.kind == kind.value))


async def get_methods(tx: Tx) -> tuple[str, ...]:
    return tuple((await tx.execute(select(organizations.c.authentication_methods))).scalar_one())


async def set_methods(tx: Tx, methods: Sequence[str]) -> None:
    await tx.execute(update(organizations).values(authentication_methods=list(methods)))


async def find_provider(
    connection: AsyncConnection,
    *,
    provider_id: UUID | None = None,
    domain: str | None = None,
    kind: LoginMethod | None = None,
) -> IdentityProvider | None:
    column = identity_providers.c
    if provider_id is not None:
        statement = select(identity_providers).where(column.id == provider_id)
    else:
        assert kind is not None, "a domain is one of a kind"
        statement = select(identity_providers).where(column.domain == domain, column.kind == kind.value)
    row = (await connection.execute(statement)).first()
    return _as_provider(row) if row else None


async def get_clock(connection: AsyncConnection, organization_id: UUID) -> datetime | None:
    """What a simulated organization's clock shows; None for a live one."""
    statement = select(test_clocks.c.frozen_time).where(test_clocks.c.organization_id == organization_id)
    return (await connection.execute(statement)).scalar_one_or_none()


async def insert_attempt(connection: AsyncConnection, values: Values) -> None:
    await connection.execute(insert(sso_attempts), dict(values))


async def take_attempt(
    connection: AsyncConnection, *, state: str, state_hash: bytes, browser_hash: bytes, now: datetime
) -> Attempt | None:
    """Use a try up; None for one that is none, is over, or is another browser's."""
    column = sso_attempts.c
    statement = delete(sso_attempts).where(
        column.state_hash == state_hash, column.browser_hash == browser_hash, column.expires_at > now
    )
    row = (await connection.execute(statement.returning(sso_attempts))).first()
    if row is None:
        return None
    return Attempt(
        method=LoginMethod(row.method),
        provider_id=row.provider_id,
        ticket=Ticket(state=state, nonce=row.nonce, verifier=row.verifier),
    )


async def delete_over(connection: AsyncConnection, *, now: datetime) -> None:
    await connection.execute(delete(sso_attempts).where(sso_attempts.c.expires_at <= now))


def _as_provider(row: Row[Any]) -> IdentityProvider:
    names = ProviderSettings.__slots__
    settings = {name: getattr(row, name) for name in names if name != "kind"}
    return IdentityProvider(
        id=row.id,
        organization_id=row.organization_id,
        settings=ProviderSettings(kind=LoginMethod(row.kind), **settings),
        client_secret=row.client_secret,
    )
