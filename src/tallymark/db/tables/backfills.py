"""Tables of backfills: what is to replace the events of a stretch of time, and afterwards what each of them was before."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import (
    flag,
    id_column,
    instant,
    metadata,
    organization_column,
    string,
    tenant_column,
)

event_backfills = Table(
    "event_backfills",
    metadata,
    id_column(),
    organization_column(),
    Column("stream_id", BigInteger, nullable=False),
    Column("external_subscription_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    instant("from_at", nullable=False),
    instant("to_at", nullable=False),
    string("reason", nullable=False),
    string("status", nullable=False),
    # A key, or somebody in the web app.
    Column("api_key_id", Uuid),
    string("user_email"),
    # What closing changed, period by period, as it is shown.
    Column("periods", JSONB(none_as_null=True)),
    instant("created_at", nullable=False),
    instant("closed_at"),
    instant("reverted_at"),
    CheckConstraint("status IN ('open', 'closed', 'reverted')", name="status"),
    Index("event_backfills_organization_id_idx", "organization_id", "id"),
    Index("event_backfills_stream_idx", "stream_id", "closed_at"),
)

# Those that were added, until it is closed; then also those that they replaced, each with what it was. One that is
# new was not in the store before.
backfilled_events = Table(
    "backfilled_events",
    metadata,
    tenant_column(),
    Column("backfill_id", Uuid, ForeignKey("event_backfills.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", Uuid, nullable=False),
    flag("is_added"),
    flag("is_new"),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Column("transaction_id", Text),
    instant("timestamp"),
    Column("properties", JSONB),
    Column("precise_total_amount_cents", Numeric(40, 15)),
    Column("version_before", Integer),
    instant("counted_at"),
    flag("was_void"),
    flag("was_held"),
    flag("was_late"),
    Column("sender_id", BigInteger),
    PrimaryKeyConstraint("backfill_id", "event_id"),
)
