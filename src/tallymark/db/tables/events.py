"""Tables of usage: the raw events, and the streams that they belong to.

A stream is (organization, external subscription id, code): one narrow number in an event's index instead of
three wide keys. Events are kept apart from everything else, for they are most of the rows.
"""

from sqlalchemy import BigInteger, Column, Identity, Index, Numeric, Table, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import instant, metadata, string

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
)
