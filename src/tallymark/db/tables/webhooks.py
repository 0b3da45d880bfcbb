"""Tables of webhooks: where an organization wants to be told, what is yet to be told, and each delivery."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import ARRAY

from tallymark.db.tables.columns import id_column, instant, metadata, organization_column, string, timestamps

_OPEN = text("status IN ('pending', 'retrying')")


def _endpoint_column(*, is_key: bool = False) -> Column[Any]:
    key = ForeignKey("webhook_endpoints.id", ondelete="CASCADE")
    return Column("endpoint_id", Uuid, key, nullable=False, primary_key=is_key)


webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    id_column(),
    organization_column(),
    string("webhook_url", nullable=False),
    string("signature_algo", nullable=False),
    string("name"),
    # NULL: every type.
    Column("event_types", ARRAY(Text)),
    *timestamps(),
    Unique("organization_id", "webhook_url"),
    CheckConstraint("signature_algo IN ('jwt', 'hmac')", name="signature_algo"),
)

# Messages of the outbox that no delivery was made of yet; a trigger puts them here, for organizations with endpoints only.
untold_messages = Table(
    "untold_messages",
    metadata,
    Column("message_id", BigInteger, ForeignKey("outbox.id"), primary_key=True, autoincrement=False),
    organization_column(),
    # Why it could not be told; such a message stays for someone to look at.
    string("error"),
    Index("untold_messages_organization_idx", "organization_id", postgresql_where=text("error IS NULL")),
)

webhooks = Table(
    "webhooks",
    metadata,
    # What the receiver knows a delivery by.
    id_column(),
    organization_column(),
    _endpoint_column(),
    Column("message_id", BigInteger, nullable=False),
    string("webhook_type", nullable=False),
    string("object_key", nullable=False),
    Column("sequence", BigInteger, nullable=False),
    # Made once, and sent unchanged.
    string("body", nullable=False),
    string("status", nullable=False, default="pending"),
    Column("retries", Integer, nullable=False, server_default=text("0")),
    # While an attempt is under way: when it counts as lost.
    instant("next_attempt_at", nullable=False),
    Column("http_status", Integer),
    string("response"),
    string("traceparent"),
    *timestamps(),
    Unique("endpoint_id", "object_key", "sequence"),
    Index("webhooks_due_idx", "endpoint_id", "next_attempt_at", postgresql_where=_OPEN),
    Index("webhooks_old_idx", "updated_at"),
    Index("webhooks_organization_idx", "organization_id", "id"),
    CheckConstraint("status IN ('pending', 'succeeded', 'retrying', 'failed')", name="status"),
)

# The last number of an object at an endpoint; deliveries are deleted after a while, their numbers are not given twice.
webhook_sequences = Table(
    "webhook_sequences",
    metadata,
    _endpoint_column(is_key=True),
    Column("object_key", Text, primary_key=True),
    organization_column(),
    Column("last", BigInteger, nullable=False),
)
