"""Tables of usage: the raw events, and the streams that they belong to.

A stream is (organization, external subscription id, code): one narrow number in an event's index instead of
three wide keys. Events are kept apart from everything else, for they are most of the rows.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Identity,
    Index,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import flag, instant, metadata, organization_column, string, tenant_column

event_streams = Table(
    "event_streams",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("external_subscription_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    UniqueConstraint("organization_id", "external_subscription_id", "code"),
)

# From where events came, and what the client calls itself: one row for each that sent any in a month, so that months can be forgotten
# whole (docs/decisions/0046). Events of the month name it; where it is forgotten, they name nobody.
event_senders = Table(
    "event_senders",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    tenant_column(),
    Column("month", Date, nullable=False),
    string("ip_address", nullable=False),
    string("client", nullable=False),
    UniqueConstraint("organization_id", "month", "ip_address", "client"),
)

# Cut up by months, so that one can be taken away whole (docs/decisions/0028). PostgreSQL keeps nothing unique over all of them but
# what begins with the time; that each event is there once, the keys below see to.
events = Table(
    "events",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("stream_id", BigInteger, nullable=False),
    instant("timestamp", nullable=False),
    instant("created_at", nullable=False),
    Column("organization_id", Uuid, nullable=False),
    string("transaction_id", nullable=False),
    Column("properties", JSONB, nullable=False, server_default=text("'{}'")),
    Column("precise_total_amount_cents", Numeric(40, 15)),
    # When it happened, where it counts at another time: late events count from the start of a period that is open.
    instant("occurred_at"),
    Column("sender_id", BigInteger),
    PrimaryKeyConstraint("stream_id", "timestamp", "id"),
    Index(
        "events_occurred_idx", "stream_id", "occurred_at", postgresql_where=text("occurred_at IS NOT NULL")
    ),
    # Events lie in the order in which they came: a range of time is a range of pages, and costs inserts next to nothing.
    Index(
        "events_received_idx", "created_at", postgresql_using="brin", postgresql_with={"autosummarize": "on"}
    ),
)

# One for each event that was ever acknowledged, and where in its table it stands: 64 bits of (organization, transaction id), then 64
# bits of these and the subscription. A trigger has it follow events that move to another time, or out of their stream.
event_keys = Table(
    "event_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("stream_id", BigInteger, nullable=False),
    instant("timestamp", nullable=False),
)

events_by_id = events.to_metadata(MetaData(), name="events_by_id")
"""A view of the events for whoever knows their ids: it finds them by their keys."""

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

# Events that came when usage of their time, or of a later time, was on a final invoice already, or longer after their time than
# the organization wants. One that waits is judged soon, one that is rejected stays out of its stream, one that is billed
# elsewhere counts from there on.
late_events = Table(
    "late_events",
    metadata,
    organization_column(),
    Column("event_id", Uuid, primary_key=True),
    Column("stream_id", BigInteger, nullable=False),
    instant("timestamp", nullable=False),
    instant("created_at", nullable=False),
    flag("is_waiting"),
    flag("is_rejected"),
    Column("subscription_id", Uuid),
    instant("billed_from"),
    Index("late_events_stream_idx", "stream_id", "timestamp"),
    Index("late_events_waiting_idx", "organization_id", "stream_id", postgresql_where=text("is_waiting")),
    Index(
        "late_events_treated_idx",
        "organization_id",
        "stream_id",
        postgresql_where=text("is_waiting OR is_rejected OR billed_from IS NOT NULL"),
    ),
)

# Up to which time of reception those who follow the events have read them.
followers = Table(
    "followers",
    metadata,
    Column("name", Text, primary_key=True),
    instant("read_until", nullable=False),
)
