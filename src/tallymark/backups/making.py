"""Making a backup while everything runs: all of it as of one instant."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg.sql import SQL, Identifier

from tallymark import __version__
from tallymark.backups.manifest import (
    DUMP,
    FILES,
    FORMAT,
    MANIFEST,
    Manifest,
    Tell,
    backups_in,
    digest_of,
    write_manifest,
    write_sums,
)
from tallymark.db.engine import plain_url
from tallymark.db.errors import StartupError
from tallymark.db.programs import Programs, find_programs, run_program
from tallymark.domain.values import value
from tallymark.settings import Settings
from tallymark.which_database import any_database

_UNFINISHED = ".unfinished"
_LOCK = ".lock"

SECRETS = ("secret_key", "rsa_private_key")
"""Settings without which links and signatures of before are not those of after; left out, they are kept in the database."""

_SCHEMAS = (
    "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1"
)
_ROLES = r"SELECT rolname FROM pg_roles WHERE rolname LIKE 'tallymark\_%' ORDER BY 1"
# Partitions are counted with what they are parts of.
_TABLES = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY(%s) AND c.relname <> 'alembic_version'
    ORDER BY 1, 2
"""
_NAMING = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name IN ('file_key', 'xml_key', 'logo_key') ORDER BY 1, 2
"""


@value
class _Snapshot:
    """The database at one instant, held still by a transaction."""

    connection: psycopg.Connection[Any]
    id: str
    server: int


def back_up(settings: Settings, to: Path, *, keep: int | None = None, tell: Tell, now: datetime) -> Path:
    """Make a backup in a folder of backups, and return its place; of more than `keep` the oldest are deleted.

    The database may be used meanwhile, and is not migrated. It is there under its name once it is whole. Raises `StartupError`.
    """
    name = f"tallymark-{now:%Y%m%dT%H%M%SZ}"
    with _alone_in(to):
        fresh, place = to / f"{_UNFINISHED}-{name}", to / name
        if place.exists():
            raise StartupError(f"{place} is there already")
        fresh.mkdir(mode=0o700)
        try:
            with any_database(settings) as url:
                _fill(settings, url, fresh, tell, now=now)
            _sync(fresh)
            fresh.rename(place)
            _sync_folder(to)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        if keep is not None:
            for old in backups_in(to)[:-keep]:
                # Killed meanwhile, it must not leave half a backup under the name of a whole one.
                doomed = old.rename(to / f"{_UNFINISHED}-{old.name}")
                shutil.rmtree(doomed)
    return place


@contextmanager
def _alone_in(to: Path) -> Iterator[None]:
    """Nobody else makes a backup there; what one that was killed has left is gone."""
    before = os.umask(0o077)
    try:
        to.mkdir(parents=True, exist_ok=True)
        with (to / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left in to.glob(f"{_UNFINISHED}-*"):
                shutil.rmtree(left)
            yield
    except BlockingIOError:
        raise StartupError(f"another backup is being made in {to}") from None
    except OSError as error:
        raise StartupError(f"cannot write the backup: {error}") from None
    finally:
        os.umask(before)


def _fill(settings: Settings, url: str, folder: Path, tell: Tell, *, now: datetime) -> None:
    with _snapshot(url) as held:
        revision = _revision(held)
        programs = find_programs(server=held.server)
        _dump(held, programs, url, folder / DUMP, tell)
        tell("Counting rows", 0, None)
        schemas = [name for (name,) in held.connection.execute(_SCHEMAS)]
        rows = _count(held, schemas)
        roles = [name for (name,) in held.connection.execute(_ROLES)]
        named = set(_named_files(held))
    # Only now: a file is there before a row names it, so every one that the snapshot names is.
    elsewhere, sums = asyncio.run(_copy_files(settings, folder / FILES, tell))
    missing = [] if elsewhere else sorted(named - set(sums))
    manifest = Manifest(
        format=FORMAT,
        made_at=now,
        release=__version__,
        revision=revision,
        server=held.server,
        program=programs.major,
        roles=tuple(roles),
        schemas=tuple(schemas),
        rows=rows,
        files=len(sums),
        files_elsewhere=elsewhere,
        missing=tuple(missing),
        secrets=tuple(f"TALLYMARK_{name.upper()}" for name in SECRETS if getattr(settings, name)),
    )
    write_manifest(folder, manifest)
    paths = {f"{FILES}/{key}": digest for key, digest in sums.items()}
    write_sums(folder, paths | {name: digest_of(folder / name) for name in (MANIFEST, DUMP)})


@contextmanager
def _snapshot(url: str) -> Iterator[_Snapshot]:
    try:
        with psycopg.connect(plain_url(url), connect_timeout=10) as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            row = connection.execute(
                "SELECT pg_export_snapshot(), CAST(current_setting('server_version_num') AS int) / 10000"
            ).fetchone()
            assert row is not None
            yield _Snapshot(connection=connection, id=row[0], server=row[1])
    except psycopg.OperationalError as error:
        raise StartupError(f"cannot reach the database: {str(error).strip().splitlines()[0]}") from None


def _revision(held: _Snapshot) -> str:
    (has_any,) = held.connection.execute(
        "SELECT to_regclass('public.alembic_version') IS NOT NULL"
    ).fetchone() or (False,)
    row = held.connection.execute("SELECT version_num FROM alembic_version").fetchone() if has_any else None
    if row is None:
        raise StartupError("the database has no schema of Tallymark's: there is nothing to back up")
    return str(row[0])


def _dump(held: _Snapshot, programs: Programs, url: str, path: Path, tell: Tell) -> None:
    def told() -> None:
        tell("Dumping the database", path.stat().st_size if path.exists() else 0, None)

    run_program(
        programs,
        "pg_dump",
        url,
        "--format=custom",
        f"--snapshot={held.id}",
        f"--file={path}",
        "--no-owner",
        "--no-publications",
        "--no-subscriptions",
        "--no-security-labels",
        "--exclude-table-data=public.alembic_version",
        tell=told,
    )


def _count(held: _Snapshot, schemas: list[str]) -> dict[str, int]:
    """The rows of each table, by which a restored one is held against it."""
    return count_rows(held.connection, schemas)


def count_rows(connection: psycopg.Connection[Any], schemas: list[str]) -> dict[str, int]:
    """The rows of each table of some schemas, by their names."""
    counts = {}
    for schema, table in connection.execute(_TABLES, [schemas]).fetchall():
        counted = connection.execute(
            SQL("SELECT count(*) FROM {}").format(Identifier(schema, table))
        ).fetchone()
        assert counted is not None
        counts[table if schema == "public" else f"{schema}.{table}"] = int(counted[0])
    return counts


def _named_files(held: _Snapshot) -> Iterator[str]:
    """The keys of the documents that rows name, below their organizations'."""
    for table, column in held.connection.execute(_NAMING).fetchall():
        named = SQL("SELECT organization_id, {0} FROM {1} WHERE {0} IS NOT NULL").format(
            Identifier(column), Identifier(table)
        )
        for organization_id, key in held.connection.execute(named):
            yield f"{organization_id}/{key}"


async def _copy_files(settings: Settings, folder: Path, tell: Tell) -> tuple[str | None, dict[str, str]]:
    """Copy the documents of a local store: their checksums by their keys. Those of a bucket stay where they are: its address."""
    from tallymark.integrations.files import StoredFiles, list_keys, open_store

    address = settings.files_address
    if address is not None and not address.startswith("file:"):
        return address, {}
    store = open_store(address, settings.files_options, folder=settings.data_dir.expanduser() / "files")
    files, sums = StoredFiles(store), {}
    keys = await list_keys(store)
    for done, key in enumerate(keys):
        tell("Copying documents", done, len(keys))
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        if await files.fetch_file(key, path):  # an export may be over by now, and deleted
            sums[key] = digest_of(path)
    return None, sums


def _sync(folder: Path) -> None:
    """Have the disk keep all of it, before it gets its name."""
    for path in (*folder.rglob("*"), folder):
        _sync_folder(path)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
