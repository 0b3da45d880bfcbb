"""The table of what falls due: one row per piece of work that waits for its instant."""

from sqlalchemy import Column, Index, Integer, SmallInteger, Table, Uuid, text

from tallymark.db.tables.columns import flag, instant, metadata, string, tenant_column

agenda = Table(
    "agenda",
    metadata,
    tenant_column(),
    Column("kind", SmallInteger, primary_key=True),
    Column("subject_id", Uuid, primary_key=True),
    # What is done one at a time: a customer's billing, for instance.
    Column("owner_id", Uuid, nullable=False),
    # The instant as of which the work is done, and the earliest time to do it.
    instant("due_at", nullable=False),
    instant("run_at", nullable=False),
    flag("is_simulated"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    instant("parked_at"),
    string("last_error"),
    Index("agenda_due_idx", "run_at", postgresql_where=text("NOT is_simulated AND parked_at IS NULL")),
    Index(
        "agenda_parked_idx", "parked_at", postgresql_where=text("parked_at IS NOT NULL AND NOT is_simulated")
    ),
    Index("agenda_tenant_idx", "organization_id", "run_at", "kind", "owner_id", "subject_id"),
    Index("agenda_owner_idx", "owner_id", "run_at"),
)
