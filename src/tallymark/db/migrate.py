"""Bring a database to this release's schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from tallymark.db.engine import driver_url
from tallymark.db.errors import StartupError
from tallymark.db.months import OPEN_MONTHS

MIGRATIONS = Path(__file__).parent / "migrations"
OLDEST_SERVER = 150000

MIGRATION_LOCK = 7_236_112_094


def migrate(url: str) -> str:
    """Run the migrations that the database lacks and return its revision.

    One process migrates at a time; others wait and find nothing to do. Raises `StartupError` when the server can't
    be reached or is older than PostgreSQL 15, or the database was migrated by a newer release.
    """
    engine = create_engine(driver_url(url), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            _check_server(connection)
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
            connection.commit()
            config = _config()
            _check_known(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
            connection.execute(OPEN_MONTHS)
            connection.commit()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
            return str(MigrationContext.configure(connection).get_current_revision())
    except OperationalError as error:
        raise StartupError(f"cannot reach the database: {str(error.orig).strip().splitlines()[0]}") from None
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        raise StartupError(
            f"the database user may not prepare the schema ({str(error.orig).splitlines()[0]}): make it the database's"
            " owner with CREATEROLE, or let such a user run `tallymark migrate`"
        ) from None
    finally:
        engine.dispose()


def newest_revision() -> str:
    """The revision that `migrate` brings a database to."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def known_revisions() -> frozenset[str]:
    """All revisions up to this release's."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def _check_server(connection: Connection) -> None:
    number = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    if number < OLDEST_SERVER:
        found = connection.execute(text("SHOW server_version")).scalar_one()
        raise StartupError(f"the database server is PostgreSQL {found}; Tallymark needs 15 or newer")


def _check_known(connection: Connection) -> None:
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known_revisions():
        raise StartupError(
            f"the database has a newer schema ({found}) than this release of Tallymark knows: upgrade Tallymark"
        )
