"""Putting a backup back: into an empty database, or in place of what is there, all of it or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import text

from tallymark.backups.making import SECRETS, count_rows
from tallymark.backups.manifest import DUMP, FILES, Manifest, Tell, check
from tallymark.db import holding
from tallymark.db.engine import Database, plain_url
from tallymark.db.errors import StartupError
from tallymark.db.holding import Hold
from tallymark.db.migrate import MIGRATION_LOCK, migrate
from tallymark.db.programs import Programs, find_programs, run_program
from tallymark.db.running import is_server_alive
from tallymark.db.schema import known_revisions
from tallymark.db.tenancy import create_roles
from tallymark.domain.values import value
from tallymark.settings import Settings
from tallymark.which_database import absolute, any_database

_BEFORE = "_before_restore"
"""Ends the name that a schema has while another takes its place."""

REASON = "restored from a backup"

_SERVER = "SELECT CAST(current_setting('server_version_num') AS int) / 10000"
_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_SCHEMAS = (
    "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1"
)
_HAS_TABLES = """
    SELECT EXISTS (
        SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
    )
"""
_WAITING = text("""
    SELECT (SELECT count(*) FROM untold_messages WHERE error IS NULL) AS messages,
           (SELECT count(*) FROM webhooks WHERE status IN ('pending', 'retrying')) AS webhooks,
           (SELECT count(*) FROM emails WHERE status = 'pending') AS emails,
           (SELECT count(*) FROM agenda WHERE run_at <= :now AND NOT is_simulated AND parked_at IS NULL) AS due
""")


@value
class Restored:
    """What was put back, what waits to be done, and what has to be looked at."""

    manifest: Manifest
    revision: str
    is_held: bool
    waiting: dict[str, int]
    warnings: tuple[str, ...]


def restore(
    settings: Settings, source: Path, *, replaces: bool, holds: bool, tell: Tell, now: datetime
) -> Restored:
    """Put a backup back, and bring it to this release's schema; the database is as it was where it can't be put back.

    With `holds` nothing is billed, told or sent until `tallymark resume`. Raises `StartupError`.
    """
    manifest = check(source, tell)
    if manifest.revision not in known_revisions():
        raise StartupError(
            f"the backup's schema ({manifest.revision}, of release {manifest.release}) is newer than this release knows: upgrade Tallymark"
        )
    folder = absolute(settings.data_dir)
    if settings.database_url is None and is_server_alive(folder):
        raise StartupError(f"Tallymark is running on {folder}: stop it first")
    hold = Hold(reason=f"{REASON} of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC", since=now) if holds else None
    with any_database(settings) as url:
        with _alone(url) as connection:
            programs = _prepare(connection, manifest, replaces=replaces)
            paths = sorted(path for path in (source / FILES).rglob("*") if path.is_file())
            asyncio.run(_put_files(settings, source / FILES, paths, tell))
            with _in_place_of(connection):
                _fill(connection, programs, url, source, manifest, tell)
                asyncio.run(_finish(url, manifest.revision, hold))
        tell("Migrating", 0, None)
        revision = migrate(url)
        waiting = asyncio.run(_look(url, now=now))
    return Restored(
        manifest=manifest,
        revision=revision,
        is_held=holds,
        waiting=waiting,
        warnings=tuple(_warnings(settings, manifest)),
    )


@contextmanager
def _alone(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection on which nobody migrates meanwhile, and beside which nobody works. Raises `StartupError`."""
    try:
        connection = psycopg.connect(plain_url(url), connect_timeout=10, autocommit=True)
    except psycopg.OperationalError as error:
        raise StartupError(f"cannot reach the database: {str(error).strip().splitlines()[0]}") from None
    with connection:
        row = connection.execute(_OTHERS).fetchone()
        assert row is not None
        if row[0]:
            raise StartupError(
                f"{row[0]} others are connected to the database: stop api and worker first (pg_stat_activity tells who they are)"
            )
        if connection.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATION_LOCK]).fetchone() != (True,):
            raise StartupError("the database is being migrated: wait until that is over")
        yield connection


def _prepare(connection: psycopg.Connection[Any], manifest: Manifest, *, replaces: bool) -> Programs:
    """See that it can be done, before anything is changed, and what does it."""
    row = connection.execute(_SERVER).fetchone()
    assert row is not None
    if row[0] < manifest.server:
        raise StartupError(
            f"the backup is of PostgreSQL {manifest.server} and goes into none that is older; the server is {row[0]}"
        )
    programs = find_programs(server=row[0], at_least=manifest.program)
    _recover(connection)
    has_tables = connection.execute(_HAS_TABLES).fetchone()
    if has_tables == (True,) and not replaces:
        raise StartupError(
            "the database is not empty: --replace puts the backup in the place of all that is in it"
        )
    return programs


def _schemas_of(connection: psycopg.Connection[Any]) -> list[str]:
    return [name for (name,) in connection.execute(_SCHEMAS)]


def _recover(connection: psycopg.Connection[Any]) -> None:
    """Bring to an end what a restore that was killed has left: its own work where that was complete, else what was there before."""
    left = [name for name in _schemas_of(connection) if name.endswith(_BEFORE)]
    if left:
        has_any = connection.execute("SELECT to_regclass('public.alembic_version') IS NOT NULL").fetchone()
        is_complete = (
            has_any == (True,) and connection.execute("SELECT 1 FROM public.alembic_version").fetchone()
        )
        (_drop_before if is_complete else _take_back)(connection)


@contextmanager
def _in_place_of(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Give the block an empty database; what was there is gone when it ends well, and back when it fails."""
    there = _schemas_of(connection)
    with connection.transaction():
        for name in there:
            connection.execute(
                SQL("ALTER SCHEMA {} RENAME TO {}").format(Identifier(name), Identifier(name + _BEFORE))
            )
        _make_public(connection)
    try:
        yield
    except BaseException:
        _take_back(connection)
        raise
    _drop_before(connection)


def _make_public(connection: psycopg.Connection[Any]) -> None:
    """The schema `public` as a new database has it: whoever owns the database owns it, and all may look into it."""
    connection.execute("CREATE SCHEMA public")
    connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    connection.execute("ALTER SCHEMA public OWNER TO pg_database_owner")


def _take_back(connection: psycopg.Connection[Any]) -> None:
    there = _schemas_of(connection)
    before = [name for name in there if name.endswith(_BEFORE)]
    with connection.transaction():
        for name in there:
            if name not in before:
                connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))
        for name in before:
            connection.execute(
                SQL("ALTER SCHEMA {} RENAME TO {}").format(
                    Identifier(name), Identifier(name.removesuffix(_BEFORE))
                )
            )


def _drop_before(connection: psycopg.Connection[Any]) -> None:
    with connection.transaction():
        for name in _schemas_of(connection):
            if name.endswith(_BEFORE):
                connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))


def _fill(
    connection: psycopg.Connection[Any],
    programs: Programs,
    url: str,
    source: Path,
    manifest: Manifest,
    tell: Tell,
) -> None:
    for statement in create_roles(manifest.roles):
        connection.execute(statement.encode())
    run_program(
        programs,
        "pg_restore",
        url,
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        str(source / DUMP),
        tell=lambda: tell("Restoring the database", 0, None),
    )
    tell("Counting rows", 0, None)
    _compare(manifest.rows, count_rows(connection, list(manifest.schemas)))


def _compare(expected: dict[str, int], found: dict[str, int]) -> None:
    for table in sorted(expected.keys() | found.keys()):
        if expected.get(table) != found.get(table):
            raise StartupError(
                f"{table} has {found.get(table)} rows where the backup had {expected.get(table)}: nothing was put back"
            )


async def _put_files(settings: Settings, folder: Path, paths: Sequence[Path], tell: Tell) -> None:
    """Documents first: until the rows are there nobody looks for them."""
    from tallymark.integrations.files import StoredFiles, open_store

    if not paths:
        return
    store = open_store(
        settings.files_address, settings.files_options, folder=settings.data_dir.expanduser() / "files"
    )
    for done, path in enumerate(paths):
        tell("Restoring documents", done, len(paths))
        await StoredFiles(store).put_file(path.relative_to(folder).as_posix(), path)


async def _finish(url: str, revision: str, hold: Hold | None) -> None:
    """Only now does anything start on it: it has no revision before, and is held back at once."""
    database = Database(url, pool_size=1)
    try:
        async with database.system() as connection:
            await connection.execute(text(holding.TABLE))
            await holding.end_holds(connection)
            if hold is not None:
                await holding.add_hold(connection, hold)
            await connection.execute(
                text("INSERT INTO alembic_version (version_num) VALUES (:revision)"), {"revision": revision}
            )
    finally:
        await database.close()


async def _look(url: str, *, now: datetime) -> dict[str, int]:
    """Count what waits; the planner knows nothing of the tables yet."""
    database = Database(url, pool_size=1)
    try:
        async with database.system() as connection:
            await connection.execute(text("ANALYZE"))
            return dict((await connection.execute(_WAITING, {"now": now})).one()._mapping)
    finally:
        await database.close()


def _warnings(settings: Settings, manifest: Manifest) -> Iterator[str]:
    elsewhere = manifest.files_elsewhere
    if elsewhere is not None and elsewhere != settings.files_address:
        yield f"documents are in {elsewhere}, and TALLYMARK_FILES_URL does not say so"
    if manifest.missing:
        yield f"{len(manifest.missing)} documents that rows name were not there, the first of them {manifest.missing[0]}"
    for name in SECRETS:
        variable = f"TALLYMARK_{name.upper()}"
        if variable in manifest.secrets and not getattr(settings, name):
            yield f"{variable} was set when the backup was made, and is not now: what it signed can't be verified any more"
