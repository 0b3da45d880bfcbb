"""Tables of entitlements: features with their privileges, and what plans and subscriptions grant of them."""

from sqlalchemy import ARRAY, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, Uuid, text
from sqlalchemy import UniqueConstraint as Unique
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

features = Table(
    "features",
    metadata,
    id_column(),
    organization_column(),
    string("code", nullable=False),
    string("name"),
    string("description"),
    *timestamps(),
    instant("deleted_at"),
    Index("features_code_key", "organization_id", "code", unique=True, postgresql_where=_LIVE),
    Index("features_newest_idx", "organization_id", text("created_at DESC"), "id"),
)

privileges = Table(
    "privileges",
    metadata,
    id_column(),
    organization_column(),
    reference("feature_id", "features"),
    string("code", nullable=False),
    string("name"),
    string("value_type", nullable=False),
    # Of a `select` alone.
    Column("select_options", ARRAY(Text)),
    # The order in which a feature shows them: that of their creation.
    Column("position", Integer, nullable=False),
    *timestamps(),
    Unique("feature_id", "code"),
    CheckConstraint("value_type IN ('string', 'integer', 'boolean', 'select')", name="value_type"),
    CheckConstraint("(value_type = 'select') = (select_options IS NOT NULL)", name="select_options"),
)

# A feature granted by a plan, or to one subscription.
entitlements = Table(
    "entitlements",
    metadata,
    id_column(),
    organization_column(),
    reference("feature_id", "features", index=True),
    reference("plan_id", "plans", nullable=True),
    reference("subscription_id", "subscriptions", nullable=True),
    *timestamps(),
    Unique("plan_id", "feature_id"),
    Unique("subscription_id", "feature_id"),
    CheckConstraint("num_nonnulls(plan_id, subscription_id) = 1", name="owner"),
)

entitlement_values = Table(
    "entitlement_values",
    metadata,
    organization_column(),
    Column("entitlement_id", Uuid, ForeignKey("entitlements.id", ondelete="CASCADE"), primary_key=True),
    Column("privilege_id", Uuid, ForeignKey("privileges.id"), primary_key=True, index=True),
    # Of the privilege's type.
    Column("value", JSONB, nullable=False),
)

# What a subscription does without though its plan grants it: a feature, or one privilege of it.
entitlement_removals = Table(
    "entitlement_removals",
    metadata,
    id_column(),
    organization_column(),
    reference("subscription_id", "subscriptions"),
    reference("feature_id", "features", index=True),
    Column("privilege_id", Uuid, ForeignKey("privileges.id"), index=True),
    Index(
        "entitlement_removals_key",
        "subscription_id",
        "feature_id",
        "privilege_id",
        unique=True,
        postgresql_nulls_not_distinct=True,
    ),
)
