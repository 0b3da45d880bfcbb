"""How a database's schema stands to this release, without changing it.

Releases are replaced one process after another, and taken back: for a while an older one works on the newer schema. A migration
says with `needs` which schema's release is the oldest that still can; the database keeps the newest that was said (`schema_floor`).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import structlog
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from tallymark.db.engine import SPOKEN, driver_url
from tallymark.db.errors import StartupError
from tallymark.domain.values import value

MIGRATIONS = Path(__file__).parent / "migrations"

RIGHT_USER = "put the user who runs `tallymark migrate` into DATABASE_URL"

_FLOOR = text("SELECT revision FROM schema_floor")
_HAS_FLOOR = text("SELECT to_regclass('schema_floor') IS NOT NULL")

log = structlog.get_logger(__name__)


class Standing(StrEnum):
    """What a database's schema is to this release."""

    NONE = "none"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    """Of a newer release, and this one can work on it."""
    TOO_NEW = "too_new"


@value
class Schema:
    """A database's revision, and how it stands."""

    revision: str | None
    standing: Standing


def read_schema(connection: Connection) -> Schema:
    """Look at a database's schema."""
    found = MigrationContext.configure(connection).get_current_revision()
    known = known_revisions()
    if found is None:
        standing = Standing.NONE
    elif found == newest_revision():
        standing = Standing.CURRENT
    elif found in known:
        standing = Standing.OLDER
    else:
        standing = Standing.NEWER if _floor(connection) in known else Standing.TOO_NEW
    return Schema(revision=found, standing=standing)


def require_current_schema(url: str) -> None:
    """Raise `StartupError` when the database can't be reached, or has a schema that this release can't work on."""
    engine = create_engine(driver_url(url), poolclass=NullPool, connect_args=SPOKEN)
    try:
        with engine.connect() as connection:
            schema = read_schema(connection)
    except OperationalError as error:
        raise StartupError(f"cannot reach the database: {str(error.orig).strip().splitlines()[0]}") from None
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        raise StartupError(f"{told_of_refusal(error.orig)}; {RIGHT_USER}") from None
    finally:
        engine.dispose()
    if schema.standing is Standing.NONE:
        raise StartupError("the database has no schema yet: run `tallymark migrate`")
    if schema.standing is Standing.OLDER:
        raise StartupError(
            f"the database's schema ({schema.revision}) is older than this release: run `tallymark migrate`"
        )
    refuse_too_new(schema)


def told_of_refusal(error: InsufficientPrivilege) -> str:
    """What is told of a database user who may not read the schema.

    >>> told_of_refusal(InsufficientPrivilege("permission denied for table alembic_version"))
    'the database user may not read the schema: permission denied for table alembic_version'
    """
    return f"the database user may not read the schema: {str(error).strip().splitlines()[0]}"


def refuse_too_new(schema: Schema) -> None:
    """Raise `StartupError` for a schema of a newer release, unless this one can work on it, which is logged."""
    if schema.standing is Standing.TOO_NEW:
        raise StartupError(
            f"the database has a newer schema ({schema.revision}) than this release of Tallymark can work on: upgrade Tallymark"
        )
    if schema.standing is Standing.NEWER:
        log.warning("the schema is of a newer release, which this one can work on", schema=schema.revision)


def newest_revision() -> str:
    """The revision that `migrate` brings a database to."""
    return str(ScriptDirectory(str(MIGRATIONS)).get_current_head())


def known_revisions() -> frozenset[str]:
    """All revisions up to this release's."""
    return frozenset(script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def _floor(connection: Connection) -> str | None:
    """The oldest schema whose release can work on the database's; None where it does not say."""
    if not connection.execute(_HAS_FLOOR).scalar_one():
        return None
    found: str | None = connection.execute(_FLOOR).scalar_one_or_none()
    return found
