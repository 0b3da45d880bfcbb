"""The table of webhooks to be: what happened, noted in the transaction that made it happen."""

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import instant, metadata, string, tenant_column

outbox = Table(
    "outbox",
    metadata,
    # Also the order in which messages are told.
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    tenant_column(),
    string("webhook_type", nullable=False),
    string("object_type", nullable=False),
    Column("object_id", Uuid),
    # What the object's row can't tell any more, or never could.
    Column("payload", JSONB),
    instant("created_at", nullable=False),
    # The trace of what made it happen, where that was traced.
    string("traceparent"),
    Index("outbox_object_idx", "organization_id", "object_id"),
)
