"""Alembic's entry: runs on the connection that `tallymark.db.migrate` hands over."""

from collections.abc import Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script
from sqlalchemy import text

from tallymark.db.tables import metadata

_NEEDS = text("UPDATE schema_floor SET revision = :revision")


def keep_floor(
    ctx: MigrationContext,
    step: MigrationInfo,
    heads: Collection[Any],  # noqa: ARG001 - what is called back is called by these names
    run_args: Mapping[str, Any],  # noqa: ARG001 - what is called back is called by these names
) -> None:
    """Note in a migration's own transaction which releases can't work on the schema from now on."""
    script = step.up_revision
    if step.is_upgrade and isinstance(script, Script) and ctx.connection is not None:
        needs = getattr(script.module, "needs", None)
        if needs is not None:
            ctx.connection.execute(_NEEDS, {"revision": needs})


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=True,
    on_version_apply=keep_floor,
)
with context.begin_transaction():
    context.run_migrations()
