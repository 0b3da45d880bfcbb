"""Tables of roll-ups: usage of busy streams added up by the hour, so that reading it does not mean reading its events."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Numeric,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import instant, metadata, string, tenant_column

# What is added up: of which stream, how, of which property, told apart by which properties.
rollups = Table(
    "rollups",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    tenant_column(),
    Column("stream_id", BigInteger, nullable=False),
    string("aggregation_type", nullable=False),
    string("field_name", nullable=False, default=""),
    Column("dimensions", ARRAY(Text), nullable=False),
    # Whose events are in it. Only unique counts, which can't be added up from hours, are kept for one window.
    Column("since", DateTime(timezone=True), nullable=False, server_default=text("'-infinity'")),
    Column("until", DateTime(timezone=True), nullable=False, server_default=text("'infinity'")),
    # The version of the intake's rules from which on flushes add to it; null: nobody does yet.
    Column("version", BigInteger, index=True),
    # From then on it is whole and read.
    instant("built_at"),
    # Adding up would have saved nothing: its events are all different.
    instant("declined_at"),
    # An event was corrected whose share can't be taken out again. Those who chose it may still be reading.
    instant("retired_at"),
    Index(
        "rollups_question_idx",
        "stream_id",
        "aggregation_type",
        "field_name",
        "dimensions",
        "since",
        "until",
        unique=True,
        postgresql_where=text("retired_at IS NULL"),
    ),
    Index("rollups_wanted_idx", "id", postgresql_where=text("built_at IS NULL AND declined_at IS NULL")),
)

# What an hour came to, for each combination of the dimensions' values; of a unique count, what the window came to, for each value
# too. The base has what was stored before flushes added to the roll-up; the rest is what they added.
rollup_parts = Table(
    "rollup_parts",
    metadata,
    tenant_column(),
    Column("rollup_id", BigInteger, primary_key=True, autoincrement=False),
    Column("hour", DateTime(timezone=True), primary_key=True),
    # A hash of the dimensions' values and the value.
    Column("place", Uuid, primary_key=True),
    Column("is_base", Boolean, primary_key=True),
    Column("properties", JSONB, nullable=False),
    string("value"),
    Column("events", BigInteger, nullable=False),
    Column("total", Numeric),
    # The sum of each value times its seconds since the hour.
    Column("moment", Numeric),
    Column("amount", Numeric),
    Column("greatest", Numeric),
    # Of its last event: when it happened, when it came, its id, its value, its operation.
    Column("last", ARRAY(Text)),
)
