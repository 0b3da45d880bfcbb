"""The table of who reads the analytics views: a role of the database, and the one organization that it sees, or all."""

from sqlalchemy import Column, ForeignKey, Table, Text, Uuid

from tallymark.db.tables.columns import instant, metadata

analytics_readers = Table(
    "analytics_readers",
    metadata,
    Column("role_name", Text, primary_key=True),
    Column("organization_id", Uuid, ForeignKey("organizations.id")),
    instant("granted_at", nullable=False),
)
