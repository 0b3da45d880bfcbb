"""Tables of alerts, and of whose usage is watched: by alerts, thresholds, wallets."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import (
    id_column,
    instant,
    metadata,
    organization_column,
    reference,
    string,
    timestamps,
)

_LIVE = text("deleted_at IS NULL")

alerts = Table(
    "alerts",
    metadata,
    id_column(),
    organization_column(),
    # An alert hangs on the external id, and so outlives changes of plan; or on a wallet.
    string("external_subscription_id"),
    reference("wallet_id", "wallets", nullable=True),
    reference("billable_metric_id", "billable_metrics", nullable=True, index=True),
    string("alert_type", nullable=False),
    string("code", nullable=False),
    string("name"),
    # [{"code", "value" (decimal text), "recurring"}], in the order given.
    Column("thresholds", JSONB, nullable=False),
    Column("previous_value", Numeric(60, 15), nullable=False),
    instant("last_processed_at"),
    instant("deleted_at"),
    *timestamps(),
    Index(
        "alerts_code_key",
        "organization_id",
        "external_subscription_id",
        "wallet_id",
        "code",
        unique=True,
        postgresql_where=_LIVE,
        postgresql_nulls_not_distinct=True,
    ),
    Index(
        "alerts_type_key",
        "organization_id",
        "external_subscription_id",
        "wallet_id",
        "alert_type",
        "billable_metric_id",
        unique=True,
        postgresql_where=_LIVE,
        postgresql_nulls_not_distinct=True,
    ),
    Index("alerts_wallet_idx", "wallet_id", postgresql_where=_LIVE),
    CheckConstraint("(external_subscription_id IS NULL) <> (wallet_id IS NULL)", name="subject"),
)

# Organizations that have or had somebody who watches usage: the intake keeps these in memory, and asks no further of others.
watching_organizations = Table(
    "watching_organizations",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
)

# Active subscriptions whose usage something follows. Triggers keep it true to alerts, thresholds, wallets and subscriptions.
watched_subscriptions = Table(
    "watched_subscriptions",
    metadata,
    Column("subscription_id", Uuid, ForeignKey("subscriptions.id"), primary_key=True),
    organization_column(),
    reference("customer_id", "customers", index=True),
    string("external_subscription_id", nullable=False),
    UniqueConstraint("organization_id", "external_subscription_id"),
)

# Put here in the transaction that stores events of such a subscription; a list without a key, so that nobody waits for
# whoever takes something off (docs/decisions/0007).
usage_marks = Table(
    "usage_marks",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    organization_column(),
    Column("customer_id", Uuid, nullable=False),
    Column("subscription_id", Uuid, nullable=False),
    Index("usage_marks_customer_idx", "customer_id"),
)
