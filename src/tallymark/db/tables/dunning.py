"""Tables of dunning campaigns: what there is, who is asked by which one, and how often it was."""

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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from tallymark.db.tables.columns import (
    flag,
    id_column,
    instant,
    metadata,
    organization_column,
    reference,
    string,
    timestamps,
)

dunning_campaigns = Table(
    "dunning_campaigns",
    metadata,
    id_column(),
    organization_column(),
    string("code", nullable=False),
    string("name", nullable=False),
    string("description"),
    Column("days_between_attempts", Integer, nullable=False, server_default=text("1")),
    Column("max_attempts", Integer, nullable=False, server_default=text("1")),
    Column("bcc_emails", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    *timestamps(),
    instant("deleted_at"),
    Index(
        "dunning_campaigns_code_key",
        "organization_id",
        "code",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index("dunning_campaigns_newest_idx", "organization_id", text("created_at DESC"), "id"),
    CheckConstraint("days_between_attempts > 0 AND max_attempts > 0", name="terms"),
)

# From which overdue balance on a campaign asks, by currency.
dunning_thresholds = Table(
    "dunning_thresholds",
    metadata,
    organization_column(),
    Column("campaign_id", Uuid, ForeignKey("dunning_campaigns.id"), primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("amount_cents", BigInteger, nullable=False),
    CheckConstraint("amount_cents >= 0", name="amount"),
)

# By which campaign an issuer's customers are asked; without a row by none.
billing_entities_dunning = Table(
    "billing_entities_dunning",
    metadata,
    organization_column(),
    Column("billing_entity_id", Uuid, ForeignKey("billing_entities.id"), primary_key=True),
    reference("campaign_id", "dunning_campaigns", index=True),
)

# By which campaign a customer is asked, or that it is none; without a row it is the issuer's.
customers_dunning = Table(
    "customers_dunning",
    metadata,
    organization_column(),
    Column("customer_id", Uuid, ForeignKey("customers.id"), primary_key=True),
    reference("campaign_id", "dunning_campaigns", nullable=True, index=True),
    flag("is_excluded"),
    CheckConstraint("is_excluded = (campaign_id IS NULL)", name="choice"),
)

# How often a customer was asked, by currency, and when last.
dunning_progress = Table(
    "dunning_progress",
    metadata,
    organization_column(),
    Column("customer_id", Uuid, ForeignKey("customers.id"), primary_key=True),
    Column("attempts", JSONB, nullable=False),
    instant("last_attempt_at"),
)
