"""The table of e-mails: what is to be sent for which cause, and what became of it."""

from sqlalchemy import CheckConstraint, Column, Integer, Table, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import id_column, instant, metadata, organization_column, string

emails = Table(
    "emails",
    metadata,
    id_column(),
    organization_column(),
    string("kind", nullable=False),
    Column("document_id", Uuid, nullable=False),
    # Once for each: "automatic", or a word of its own for each time that somebody asks for it again.
    string("cause", nullable=False),
    # Who asked for gets it; null for the document's own recipient.
    Column("recipients", JSONB(none_as_null=True)),
    # Who asked for it; null where nobody did: it goes by itself.
    string("source"),
    Column("api_key_id", Uuid),
    string("user_email"),
    string("status", nullable=False, default="pending"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    # Why it was not sent, or not yet.
    string("reason"),
    instant("created_at", nullable=False),
    instant("sent_at"),
    UniqueConstraint("kind", "document_id", "cause"),
    CheckConstraint("status IN ('pending', 'sending', 'sent', 'skipped', 'unsure')", name="status"),
)
