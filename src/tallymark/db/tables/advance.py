"""Tables of charges paid in advance: events that wait to be priced, those that were, and what the intake must know."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from tallymark.db.tables.columns import cents, flag, instant, metadata, organization_column, reference, string

# Counters that caches compare: whoever keeps something in memory knows by them whether it still holds.
versions = Table(
    "versions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    # The transaction that raised it last: many changes in one transaction raise it once.
    Column("raised_in", BigInteger, nullable=False),
)

# Put here in the transaction that stores the event, taken off in the one that makes its fees.
events_to_price = Table(
    "events_to_price",
    metadata,
    # Also the order in which events are priced.
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    organization_column(),
    Column("event_id", Uuid, nullable=False),
    Column("stream_id", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    # Not before this, after a failure.
    instant("retry_at"),
    instant("parked_at"),
    string("last_error"),
    Index("events_to_price_stream_idx", "stream_id", "id"),
)

# One row for each event and charge: where the window stood after it (metering §8.2).
priced_events = Table(
    "priced_events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    organization_column(),
    Column("event_id", Uuid, nullable=False),
    reference("charge_id", "charges"),
    string("external_subscription_id", nullable=False),
    # The charge filter and the values of the group keys, as JSON text.
    string("scope", nullable=False),
    Column("timestamp", DateTime(timezone=True), nullable=False),
    # The distinct value and whether the event adds it (unique counts), or the number (sums).
    string("value"),
    Column("adds", Boolean, nullable=False, server_default=text("true")),
    # Running numbers of the window: units, their highest, prorated units billed, events, the amounts that events bring.
    Column("current", Numeric, nullable=False),
    Column("highest", Numeric, nullable=False),
    Column("highest_prorated", Numeric, nullable=False),
    Column("events_count", BigInteger, nullable=False),
    Column("precise_total_amount_cents", Numeric, nullable=False),
    # What this event was billed.
    cents("amount_cents"),
    # The same in the charge's pricing unit, where it has one.
    cents("pricing_unit_cents"),
    # By what it was; one that counts no more keeps its place, and what was corrected is no more what its fee billed.
    reference("billed_terms_id", "billed_terms", nullable=True),
    flag("is_void"),
    flag("is_corrected"),
    instant("created_at", nullable=False),
    UniqueConstraint("event_id", "charge_id"),
    Index("priced_events_scope_idx", "charge_id", "external_subscription_id", "scope", "id"),
)
