"""Tables of usage: the raw events, and the streams that they belong to.

A stream is (organization, external subscription id, code): one narrow number in an event's index instead of
three wide keys. Events are kept apart from everything else, for they are most of the rows.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import instant, metadata, organization_column, string

event_streams = Table(
    "event_streams",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("external_subscription_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    UniqueConstraint("organization_id", "external_subscription_id", "code"),
)

events = Table(
    "events",
    metadata,
    # Also the dedupe key: 64 bits of (organization, transaction id), then 64 bits of these and the subscription.
    Column("id", Uuid, primary_key=True),
    Column("stream_id", BigInteger, nullable=False),
    instant("timestamp", nullable=False),
    instant("created_at", nullable=False),
    Column("organization_id", Uuid, nullable=False),
    string("transaction_id", nullable=False),
    Column("properties", JSONB, nullable=False, server_default=text("'{}'")),
    Column("precise_total_amount_cents", Numeric(40, 15)),
    Index("events_stream_idx", "stream_id", "timestamp"),
    # Events lie in the order in which they came: a range of time is a range of pages, and costs inserts next to nothing.
    Index(
        "events_received_idx", "created_at", postgresql_using="brin", postgresql_with={"autosummarize": "on"}
    ),
)

# Events whose properties a metric can do nothing with (metering §5.2). Which they are does not depend on subscriptions.
flawed_events = Table(
    "flawed_events",
    metadata,
    organization_column(),
    Column("event_id", Uuid, nullable=False),
    Column("billable_metric_id", Uuid, nullable=False),
    Column("stream_id", BigInteger, nullable=False),
    instant("timestamp", nullable=False),
    instant("created_at", nullable=False),
    string("flaw", nullable=False),
    PrimaryKeyConstraint("event_id", "billable_metric_id"),
    Index("flawed_events_stream_idx", "stream_id", "timestamp"),
)

# Events that came when usage of their time, or of a later time, was on a final invoice already.
late_events = Table(
    "late_events",
    metadata,
    organization_column(),
    Column("event_id", Uuid, primary_key=True),
    Column("stream_id", BigInteger, nullable=False),
    instant("timestamp", nullable=False),
    instant("created_at", nullable=False),
    Index("late_events_stream_idx", "stream_id", "timestamp"),
)

# Up to which time of reception those who follow the events have read them.
followers = Table(
    "followers",
    metadata,
    Column("name", Text, primary_key=True),
    instant("read_until", nullable=False),
)
