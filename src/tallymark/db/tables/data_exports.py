"""What organizations have written to files for them."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Table, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import id_column, instant, metadata, organization_column, string

data_exports = Table(
    "data_exports",
    metadata,
    id_column(),
    organization_column(),
    string("resource_type", nullable=False),
    string("format", nullable=False),
    # As they were sent: the names and values of the list's own query.
    Column("filters", JSONB, nullable=False),
    string("status", nullable=False),
    Column("rows_written", BigInteger, nullable=False, server_default=text("0")),
    Column("rows_total", BigInteger),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    string("error"),
    string("file_key"),
    # Who asked: a key, or somebody in the web app; and whom the link is sent to.
    Column("api_key_id", Uuid),
    string("user_email"),
    string("email"),
    instant("created_at", nullable=False),
    instant("started_at"),
    instant("completed_at"),
    instant("expires_at", nullable=False),
    instant("notified_at"),
    CheckConstraint("status IN ('pending', 'processing', 'completed', 'failed')", name="status"),
    CheckConstraint("(status = 'completed') = (file_key IS NOT NULL)", name="file"),
    CheckConstraint("(status = 'failed') = (error IS NOT NULL)", name="error"),
    Index("data_exports_organization_id_idx", "organization_id", "id"),
)
