"""Bring a database to this release's schema, while others work on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from alembic import command
from alembic.config import Config
from psycopg.errors import InsufficientPrivilege, LockNotAvailable
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from tallymark.db import schema
from tallymark.db.engine import INGEST_ROLE, SPOKEN, TENANT_ROLE, driver_url
from tallymark.db.errors import StartupError
from tallymark.db.months import OPEN_MONTHS
from tallymark.db.schema import Standing, read_schema, refuse_too_new
from tallymark.db.tenancy import create_roles

OLDEST_SERVER = 150000

ENCODING = "UTF8"
"""Every name and property fits into it."""

MIGRATION_LOCK = 7_236_112_094

LOCK_TIMEOUT = "2s"
"""How long a migration waits for a table: everybody who wants it meanwhile waits behind it."""

PATIENCE_SECONDS = 600
"""How long it tries again."""

_PAUSE_SECONDS = 3.0
_LOOK_SECONDS = 0.2
_TRY_LOCK = text("SELECT pg_try_advisory_lock(:key)")
_UNLOCK = text("SELECT pg_advisory_unlock(:key)")

log = structlog.get_logger(__name__)


def migrate(url: str) -> str:
    """Run the migrations that the database lacks and return its revision.

    One process migrates at a time; others wait and find nothing to do. A schema of a newer release that this one can work on stays
    as it is. Raises `StartupError` when the server can't be reached or is older than PostgreSQL 15, the database's encoding is not
    UTF8, the schema is of a release that is too new, or long transactions keep a table for too long.
    """
    engine = create_engine(driver_url(url), poolclass=NullPool, connect_args=SPOKEN)
    try:
        with engine.connect() as connection:
            _check_server(connection)
            with _alone(connection):
                found = read_schema(connection)
                connection.commit()
                refuse_too_new(found)
                for statement in create_roles():
                    connection.execute(text(statement))
                connection.commit()
                if found.standing is not Standing.NEWER:
                    _upgrade(connection)
                    connection.execute(OPEN_MONTHS)
                    connection.commit()
                return str(read_schema(connection).revision)
    except OperationalError as error:
        raise StartupError(f"cannot reach the database: {str(error.orig).strip().splitlines()[0]}") from None
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        told = str(error.orig).splitlines()[0]
        shared = f"; or have who made the roles, for another database of this server, run: GRANT {TENANT_ROLE}, {INGEST_ROLE} TO {engine.url.username or 'USER'}"
        raise StartupError(
            f"the database user may not prepare the schema ({told}): make it the database's"
            f" owner with CREATEROLE, or let such a user run `tallymark migrate`{shared if 'grant role' in told else ''}"
        ) from None
    finally:
        engine.dispose()


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Nobody else migrates. Asked for again and again: an index that is made concurrently waits for whoever waits in a statement."""
    while not connection.execute(_TRY_LOCK, {"key": MIGRATION_LOCK}).scalar_one():
        connection.commit()
        time.sleep(_LOOK_SECONDS)
    connection.commit()
    yield
    # Where something failed, it ends with the connection.
    connection.execute(_UNLOCK, {"key": MIGRATION_LOCK})
    connection.commit()


def _upgrade(connection: Connection) -> None:
    """Run what is missing, each in its own transaction; one that does not get its tables soon lets everybody else pass, and tries again."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["connection"] = connection
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            command.upgrade(config, "head")
            break
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            connection.rollback()
            if time.monotonic() > deadline:
                raise StartupError(
                    f"a migration did not get its tables within {PATIENCE_SECONDS // 60} minutes: see in pg_stat_activity whose"
                    " transactions are long, and run `tallymark migrate` again"
                ) from None
            log.warning("a table is in use: the migration waits", error=str(error.orig).strip())
            time.sleep(_PAUSE_SECONDS)
    connection.commit()
    connection.execute(text("SET lock_timeout = DEFAULT"))
    connection.commit()


def _check_server(connection: Connection) -> None:
    number = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    if number < OLDEST_SERVER:
        found = connection.execute(text("SHOW server_version")).scalar_one()
        raise StartupError(f"the database server is PostgreSQL {found}; Tallymark needs 15 or newer")
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != ENCODING:
        raise StartupError(
            f"the database's encoding is {encoding}; Tallymark needs {ENCODING}: make a database with ENCODING '{ENCODING}' TEMPLATE template0"
        )
