"""The database: whether it keeps what it was given, keeps tenants apart, has the schema and the time, and whether somebody works on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import TENANT_ROLE, Database
from tallymark.db.errors import StartupError
from tallymark.db.holding import Hold, find_hold
from tallymark.db.migrate import ENCODING, OLDEST_SERVER
from tallymark.db.programs import find_programs
from tallymark.db.schema import Standing, read_schema
from tallymark.db.tenancy import MAY_ACT_AS
from tallymark.doctor.model import Finding, counted, failing, unused, warning, well
from tallymark.doctor.reaching import origin_of
from tallymark.monitoring.backlog import Reading, read_backlog
from tallymark.settings import Settings

Clock = Callable[[], datetime]

_SERVER = text("""
    SELECT current_setting('server_version') AS version, CAST(current_setting('server_version_num') AS int) AS number,
           current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync,
           current_setting('full_page_writes') AS full_page_writes, current_setting('synchronous_commit') AS synchronous_commit,
           CAST(current_setting('max_connections') AS int) AS connections
""")
_ROLE = text(f"""
    SELECT pg_has_role(current_user, oid, {MAY_ACT_AS}) AS is_ours, rolsuper OR rolbypassrls AS sees_all
    FROM pg_roles WHERE rolname = :role
""")
_NOW = text("SELECT clock_timestamp()")
_ENDPOINTS = text("SELECT DISTINCT webhook_url FROM webhook_endpoints ORDER BY webhook_url LIMIT :most")

_LONGEST_WAIT = timedelta(minutes=10)
_WARNED, _WRONG = timedelta(seconds=2), timedelta(seconds=30)
_BESIDE_POOL = 3
"""Connections of a process that are not of its pool: the intake's and the listeners'."""

_MANY = 1_000


async def examine_database(settings: Settings, url: str, clock: Clock) -> list[Finding]:
    """The server, its schema and roles, its clock, and what waits in it."""
    database = Database(url, pool_size=2)
    try:
        async with database.system() as connection:
            found = [
                *await _server(connection, settings),
                await _programs(connection),
                *await _schema(connection),
            ]
            found += await _clock(connection, clock)
            if any(one.about == "schema" and one.remedy for one in found):
                return found
            found += await judge_roles(connection)
            if (hold := await find_hold(connection)) is not None:
                return [*found, judge_hold(hold)]
            await connection.execute(text("SET LOCAL statement_timeout = '10s'"))
            return [*found, *judge_work(await read_backlog(connection, now=clock()))]
    finally:
        await database.engine.dispose()


async def list_origins(url: str) -> list[str]:
    """Where webhooks of all organizations go: schemes, hosts and ports, each once."""
    database = Database(url, pool_size=2)
    try:
        async with database.system() as connection:
            urls = (await connection.execute(_ENDPOINTS, {"most": _MANY})).scalars().all()
    finally:
        await database.engine.dispose()
    return sorted({origin_of(url) for url in urls})


async def _server(connection: AsyncConnection, settings: Settings) -> list[Finding]:
    server = (await connection.execute(_SERVER)).one()._asdict()
    found = [*_age_of(server), *_durability(server), *_connections(server, settings)]
    return found or [
        well(
            "database",
            f"PostgreSQL {server['version']} answers, and keeps what it was given through a power cut",
        )
    ]


def _age_of(server: Mapping[str, Any]) -> Iterator[Finding]:
    if server["number"] < OLDEST_SERVER:
        yield failing("database", f"PostgreSQL {server['version']} is too old", "upgrade it to 15 or newer")
    if server["encoding"] != ENCODING:
        yield failing(
            "database",
            f"the database's encoding is {server['encoding']}: names and properties may not fit into it",
            f"make a database with ENCODING '{ENCODING}' TEMPLATE template0",
        )


def _durability(server: Mapping[str, Any]) -> Iterator[Finding]:
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if server[name] == "off":
            yield failing(
                "database",
                f"{name} is off: a power cut may lose events that were acknowledged, or the whole database",
                f"ALTER SYSTEM SET {name} = on, and reload the server",
            )


def _connections(server: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    # The api's processes and a worker: what else there is, this one can't know.
    wanted = (settings.api_workers + 1) * (settings.database_pool_size + _BESIDE_POOL)
    if wanted > server["connections"]:
        yield failing(
            "database",
            f"the api and a worker may want {wanted} connections, and the server allows {server['connections']}",
            "raise max_connections, or lower TALLYMARK_DATABASE_POOL_SIZE or TALLYMARK_API_WORKERS",
        )


async def _programs(connection: AsyncConnection) -> Finding:
    """Whether what `tallymark backup` runs is here; who backs up in another way needs none of it."""
    major = (await connection.execute(_SERVER)).one().number // 10_000
    try:
        programs = await asyncio.to_thread(find_programs, server=major)
    except StartupError as error:
        return unused(
            "backups", f"`tallymark backup` can't run here, where the server's own have to do: {error}"
        )
    return well("backups", f"`tallymark backup` can run here, with PostgreSQL's programs {programs.major}")


async def _schema(connection: AsyncConnection) -> list[Finding]:
    schema = await connection.run_sync(read_schema)
    of_older = f"the schema ({schema.revision}) is of an older release"
    of_newer = f"the schema ({schema.revision}) is of a newer release than this one"
    found = {
        Standing.CURRENT: well("schema", f"the schema is this release's ({schema.revision})"),
        Standing.NEWER: well("schema", f"{of_newer}, which can work on it"),
        Standing.NONE: failing(
            "schema", "the database has no schema of Tallymark's", "run `tallymark migrate`"
        ),
        Standing.OLDER: failing("schema", of_older, "run `tallymark migrate`"),
        Standing.TOO_NEW: failing("schema", of_newer, "upgrade Tallymark"),
    }
    return [found[schema.standing]]


async def judge_roles(connection: AsyncConnection, role_name: str = TENANT_ROLE) -> list[Finding]:
    """Whether the database user may act as the role of tenants, and that is below the rules."""
    role = (await connection.execute(_ROLE, {"role": role_name})).one_or_none()
    if role is None or not role.is_ours:
        return [
            failing(
                "tenants",
                f"the database user may not act as {role_name}, whose rows are one organization's",
                "run `tallymark migrate` as the database's owner with CREATEROLE",
            )
        ]
    if role.sees_all:
        return [
            failing(
                "tenants",
                f"{role_name} is above the rules that keep organizations apart",
                f"ALTER ROLE {role_name} NOSUPERUSER NOBYPASSRLS",
            )
        ]
    return [well("tenants", "the database itself keeps organizations apart")]


async def _clock(connection: AsyncConnection, clock: Clock) -> list[Finding]:
    before = clock()
    there = (await connection.execute(_NOW)).scalar_one()
    after = clock()
    # Between both it was anywhere: only what lies outside is off for certain.
    off = max(before - there, there - after, timedelta(0))
    says = f"this machine's clock and the database's are {off.total_seconds():.1f} seconds apart"
    remedy = "have both keep time by NTP: periods end, and events belong to one, by the clock"
    if off > _WRONG:
        return [failing("clock", says, remedy)]
    if off > _WARNED:
        return [warning("clock", says, remedy)]
    return [well("clock", f"it is {there.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC here and in the database")]


def judge_hold(hold: Hold) -> Finding:
    """Nobody works, and that is meant: how much waits says nothing."""
    return warning(
        "worker",
        f"workers have waited since {hold.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {hold.reason}",
        "send again what came after the backup, and then run `tallymark resume` (docs/operations/backups.md)",
    )


def judge_work(backlog: Reading) -> list[Finding]:
    """Whether somebody works, and what they could not do."""

    def total(name: str) -> int:
        return int(sum(backlog.values.get(name, {}).values()))

    def longest(name: str) -> timedelta:
        return timedelta(seconds=max(backlog.values.get(name, {}).values(), default=0.0))

    found = []
    waited = max(longest("tallymark_due_work_oldest_seconds"), longest("tallymark_queue_oldest_seconds"))
    if waited > _LONGEST_WAIT:
        found.append(
            failing(
                "worker",
                f"work has been due for {waited // timedelta(minutes=1)} minutes: nobody does it, or not fast enough",
                "see that `tallymark worker` (or `up`) runs, and what it logs",
            )
        )
    parked = total("tallymark_parked_work") + total("tallymark_events_to_price_parked")
    if parked:
        found.append(
            warning(
                "worker",
                f"{counted(parked, 'piece')} of work failed for the last time, waiting for somebody",
                "docs/runbooks/TallymarkWorkParked.md says how to find out why, and have them done",
            )
        )
    failed = sum(
        count
        for (_, status), count in backlog.values.get("tallymark_queue_jobs", {}).items()
        if status == "failed"
    )
    if failed:
        found.append(
            warning(
                "worker",
                f"{counted(int(failed), 'job')} failed for the last time",
                "docs/runbooks/TallymarkJobsDead.md says how to find out why",
            )
        )
    return found or [well("worker", "no work waits for longer than it should")]
