"""Check that a database has this release's schema, without changing it."""

from __future__ import annotations

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tallymark.db.engine import driver_url
from tallymark.db.errors import StartupError
from tallymark.db.migrate import MIGRATIONS


def require_current_schema(url: str) -> None:
    """Raise `StartupError` when the database can't be reached, or has another schema than this release knows."""
    engine = create_engine(driver_url(url), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        raise StartupError(f"cannot reach the database: {str(error.orig).strip().splitlines()[0]}") from None
    finally:
        engine.dispose()
    scripts = ScriptDirectory(str(MIGRATIONS))
    if found == scripts.get_current_head():
        return
    if found is None:
        raise StartupError("the database has no schema yet: run `tallymark migrate`")
    if found in {script.revision for script in scripts.walk_revisions()}:
        raise StartupError(
            f"the database's schema ({found}) is older than this release: run `tallymark migrate`"
        )
    raise StartupError(
        f"the database has a newer schema ({found}) than this release knows: upgrade Tallymark"
    )
