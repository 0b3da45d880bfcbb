"""Tables of events that have left the database: when, to which files, and of which streams."""

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, PrimaryKeyConstraint, Table, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import instant, metadata, organization_column, string

# One for each time that events of a month were taken away; of all organizations, for a month is a table.
event_archives = Table(
    "event_archives",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("month", Date, nullable=False),
    string("status", nullable=False),
    Column("events_count", BigInteger, nullable=False),
    Column("files", JSONB),
    instant("created_at", nullable=False),
    instant("archived_at"),
    instant("restored_at"),
)

# Whose events of the month left. They stand here until they are put back.
archived_streams = Table(
    "archived_streams",
    metadata,
    organization_column(),
    Column("archive_id", Uuid, ForeignKey("event_archives.id"), nullable=False),
    Column("stream_id", BigInteger, nullable=False),
    instant("from_at", nullable=False),
    instant("to_at", nullable=False),
    Column("events_count", BigInteger, nullable=False),
    PrimaryKeyConstraint("archive_id", "stream_id"),
    Index("archived_streams_stream_idx", "stream_id", "from_at"),
)
