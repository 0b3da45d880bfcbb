"""Connections and transactions: one tenant at a time under row-level security, or the system's own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
import structlog
from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable, QueryCanceled
from psycopg.sql import SQL, Identifier
from sqlalchemy import CursorResult, Executable, TextClause, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection as EngineConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tallymark.db.patience import ENDLESS, Patience
from tallymark.domain.errors import GivenUp, Locked, TookTooLong
from tallymark.domain.exact import Fraction

log = structlog.get_logger(__name__)

TENANT_ROLE = "tallymark_tenant"
"""Rows of other organizations do not exist for this role; it cannot bypass row-level security."""

INGEST_ROLE = "tallymark_ingest"
"""May insert events of any tenant in one transaction, and do nothing else."""

SPOKEN = {"client_encoding": "utf8"}
"""What is spoken with any server: texts of a database without an encoding would come as bytes else."""

_LEAVE_TENANT = text("SELECT set_config('role', 'none', true)")

_PING = text("SELECT 1")

_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"

_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(CAST(:names AS text[])) AS name"
)
_TRY_TO_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
_SHARE_LOCK = text(
    "SELECT pg_advisory_xact_lock_shared(hashtextextended(name, 0)) FROM unnest(CAST(:names AS text[])) AS name"
)

TERMINATION_ALERTS = (timedelta(days=45), timedelta(days=15))
"""How long before its end a subscription's is warned of, where nothing else is set, the earliest first (subscriptions §5.6)."""

_SHOWN = 500
"""So many characters of a statement that was given up are logged; its parameters are not."""

Connection = EngineConnection
"""A connection with a transaction under way: a tenant's, or one that sees all of them."""

Wait = Callable[[Fraction], Awaitable[None]]

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class Source(StrEnum):
    """Who is at work: somebody over the API or in the web app, or nobody but the clock."""

    API = "api"
    FRONT = "front"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who calls, from where: a key over the API, or a user in the web app."""

    user_agent: str
    ip_address: str | None
    api_key_id: UUID | None = None
    user_id: UUID | None = None
    user_email: str | None = None


@dataclass(frozen=True, slots=True)
class Tx:
    """An open transaction in which only one organization's rows are visible."""

    connection: EngineConnection
    organization_id: UUID
    is_simulated: bool = False
    settling_time: timedelta = timedelta(0)
    """How long a period's invoice waits for the period's last events (subscriptions §5.2)."""
    termination_alerts: tuple[timedelta, ...] = TERMINATION_ALERTS
    is_read_only: bool = False

    source: Source = Source.SYSTEM
    actor: Actor | None = None
    logged: list[UUID] = field(default_factory=list, compare=False)
    """The entries of the activity log that it has made so far."""

    async def execute(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[Any]:
        """Run one statement."""
        return await self.connection.execute(statement, parameters)

    async def lock(self, name: str, key: UUID) -> None:
        """Wait for the named lock of one record; it is held until the transaction ends."""
        await self.lock_all(name, [key])

    async def try_lock(self, name: str, key: UUID) -> bool:
        """Take the named lock of one record until the transaction ends; False where somebody else has it."""
        taken = await self.connection.execute(_TRY_TO_LOCK, {"name": f"{name}:{key}"})
        return bool(taken.scalar_one())

    async def lock_all(self, name: str, keys: Iterable[UUID], *, is_shared: bool = False) -> None:
        """Wait for the named locks of some records, in the order of their keys: nobody waits for one in a circle.

        Those who share a lock keep out whoever wants it alone, not each other.
        """
        names = [f"{name}:{key}" for key in sorted(keys)]
        await self.connection.execute(_SHARE_LOCK if is_shared else _LOCK, {"names": names})

    @asynccontextmanager
    async def part(self) -> AsyncIterator[Tx]:
        """A part of the transaction: undone when its block fails, while what else the transaction did stays."""
        async with self.connection.begin_nested():
            yield replace(self, logged=[])


async def leave_tenant(tx: Tx) -> None:
    """Go on in the same transaction as the system, which sees all tenants: what staff did for one is noted where it sees nothing."""
    await tx.connection.execute(_LEAVE_TENANT)


class Database:
    """The engine, and the two ways into it."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        settling_time: timedelta = timedelta(minutes=10),
        termination_alerts: tuple[timedelta, ...] = TERMINATION_ALERTS,
        patience: Patience = ENDLESS,
    ) -> None:
        self.url = driver_url(url)
        self._enter_for_request = _entering(statement_timeout=patience.request, lock_timeout=patience.lock)
        self._enter_for_job = _entering(statement_timeout=patience.job)
        self.pool_size = pool_size
        self.settling_time = settling_time
        self.termination_alerts = termination_alerts
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=30,
            pool_pre_ping=False,
            json_deserializer=_read_json,
            connect_args=SPOKEN,
        )

    @asynccontextmanager
    async def tenant(
        self,
        organization_id: UUID,
        *,
        is_simulated: bool = False,
        source: Source = Source.SYSTEM,
        actor: Actor | None = None,
    ) -> AsyncIterator[Tx]:
        """Open a transaction that sees only this organization's rows; commit it at the end.

        Raises `GivenUp` where a request waits for longer than it may. A job that does fails, and is tried again.
        """
        is_job = source is Source.SYSTEM
        enter = self._enter_for_job if is_job else self._enter_for_request
        with nullcontext() if is_job else _giving_up(organization_id):
            async with self.engine.begin() as connection:
                await connection.execute(enter, {"id": str(organization_id)})
                yield Tx(
                    connection,
                    organization_id,
                    is_simulated=is_simulated,
                    settling_time=self.settling_time,
                    termination_alerts=self.termination_alerts,
                    source=source,
                    actor=actor,
                )

    @asynccontextmanager
    async def snapshot(self, organization_id: UUID) -> AsyncIterator[Tx]:
        """Open a transaction that reads one organization's rows, all as of one instant, and can write none."""
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        async with self.engine.connect() as opened:
            connection = await opened.execution_options(**options)
            async with connection.begin():
                await connection.execute(self._enter_for_job, {"id": str(organization_id)})
                yield Tx(connection, organization_id, is_read_only=True)

    @asynccontextmanager
    async def system(self, *, is_repeatable: bool = False) -> AsyncIterator[EngineConnection]:
        """Open a transaction that sees all tenants: finding an API key's owner, what is due, a new organization.

        One that is repeatable sees all as of the instant of its first statement.
        """
        async with self.engine.connect() as opened:
            if is_repeatable:
                opened = await opened.execution_options(isolation_level="REPEATABLE READ")
            async with opened.begin():
                yield opened

    @asynccontextmanager
    async def held(self, name: str, key: UUID) -> AsyncIterator[bool]:
        """Hold the named lock of one record for longer than a transaction; False where somebody else has it.

        It hangs on a connection of its own, so that it ends with the process, however that ends.
        """
        async with await AsyncConnection.connect(plain_url(self.url), autocommit=True) as connection:
            taken = await connection.execute(_TRY_LOCK, (f"{name}:{key}",))
            (is_mine,) = await taken.fetchone() or (False,)
            try:
                yield bool(is_mine)
            finally:
                if is_mine:  # the server notices a closed connection some time later
                    await connection.execute(_UNLOCK, (f"{name}:{key}",))

    @asynccontextmanager
    async def listening(self, channel: str) -> AsyncIterator[Wait]:
        """Hear of what commits notify on a channel: yields what waits for the next, so many seconds at the most."""
        async with await AsyncConnection.connect(plain_url(self.url), autocommit=True) as connection:
            await connection.execute(SQL("LISTEN {}").format(Identifier(channel)))

            async def wait(seconds: Fraction) -> None:
                async for _ in connection.notifies(timeout=float(seconds), stop_after=1):
                    pass

            yield wait

    async def ping(self) -> None:
        """Have the database answer: a connection that was opened earlier says nothing of now. Raises whatever is wrong."""
        async with self.system() as connection:
            await connection.execute(_PING)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _entering(**waits: timedelta) -> TextClause:
    """Enter a tenant, and say for how long the transaction waits: all of it in one round trip, and over with the transaction."""
    settings = [
        f"set_config('role', '{TENANT_ROLE}', true)",
        "set_config('tallymark.organization_id', :id, true)",
    ]
    for name, wait in waits.items():
        if wait:
            settings.append(f"set_config('{name}', '{wait // timedelta(milliseconds=1)}', true)")
    return text(f"SELECT {', '.join(settings)}")


@contextmanager
def _giving_up(organization_id: UUID) -> Iterator[None]:
    """Tell in our words that the database gave something up; its transaction is undone by then."""
    try:
        yield
    except OperationalError as error:
        given_up: GivenUp
        match error.orig:
            case QueryCanceled():
                given_up = TookTooLong()
            case LockNotAvailable():
                given_up = Locked()
            case _:
                raise
        statement = " ".join((error.statement or "").split())[:_SHOWN]
        log.warning(given_up.code, organization_id=str(organization_id), statement=statement)
        raise given_up from error


def _read_json(stored: bytes) -> Any:
    """A JSON value of the database as the standard library reads it, in a fifth of the time.

    >>> _read_json(b'{"units": [1, 1.5, null], "large": 1000000000000000000000}')
    {'units': [1, 1.5, None], 'large': 1000000000000000000000}
    """
    try:
        return msgspec.json.decode(stored)
    except msgspec.DecodeError:  # a number beyond what a float holds
        return json.loads(stored)


def driver_url(url: str) -> URL:
    """The given PostgreSQL URL with our driver in it.

    >>> str(driver_url("postgres://db.example/tallymark"))
    'postgresql+psycopg://db.example/tallymark'
    """
    parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    return parsed.set(drivername="postgresql+psycopg")


def plain_url(url: str | URL) -> str:
    """The URL as libpq reads it, password included."""
    parsed = driver_url(url) if isinstance(url, str) else url
    return parsed.set(drivername="postgresql").render_as_string(hide_password=False)
