"""Alembic's entry: runs on the connection that `tallymark.db.migrate` hands over."""

from alembic import context

from tallymark.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
