"""Tables of coupons: what they take off, what they are limited to, and to whom they were given."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Numeric, Table, text

from tallymark.db.tables.columns import (
    cents,
    flag,
    id_column,
    instant,
    metadata,
    organization_column,
    reference,
    string,
    timestamps,
)

coupons = Table(
    "coupons",
    metadata,
    id_column(),
    organization_column(),
    string("code", nullable=False),
    string("name", nullable=False),
    string("description"),
    string("coupon_type", nullable=False),
    cents("amount_cents", nullable=True),
    string("amount_currency"),
    # In percent.
    Column("percentage_rate", Numeric),
    string("frequency", nullable=False),
    Column("frequency_duration", Integer),
    string("expiration", nullable=False),
    instant("expiration_at"),
    flag("reusable", default=True),
    flag("limited_plans"),
    flag("limited_billable_metrics"),
    string("status", nullable=False),
    instant("terminated_at"),
    *timestamps(),
    instant("deleted_at"),
    Index(
        "coupons_code_key",
        "organization_id",
        "code",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
    CheckConstraint("NOT (limited_plans AND limited_billable_metrics)", name="one_limitation"),
)

# One row for each plan or metric that a limited coupon is for.
coupon_targets = Table(
    "coupon_targets",
    metadata,
    id_column(),
    organization_column(),
    reference("coupon_id", "coupons", index=True),
    reference("plan_id", "plans", nullable=True, index=True),
    reference("billable_metric_id", "billable_metrics", nullable=True, index=True),
    CheckConstraint("(plan_id IS NULL) <> (billable_metric_id IS NULL)", name="one_target"),
)

applied_coupons = Table(
    "applied_coupons",
    metadata,
    id_column(),
    organization_column(),
    reference("coupon_id", "coupons", index=True),
    reference("customer_id", "customers"),
    string("status", nullable=False),
    cents("amount_cents", nullable=True),
    string("amount_currency"),
    Column("percentage_rate", Numeric),
    string("frequency", nullable=False),
    Column("frequency_duration", Integer),
    Column("frequency_duration_remaining", Integer),
    # What invoices of another system took of it, and how many did, before it was taken over from there.
    cents("used_elsewhere_cents"),
    Column("uses_elsewhere", Integer, nullable=False, server_default=text("0")),
    instant("terminated_at"),
    *timestamps(),
    Index("applied_coupons_newest_idx", "organization_id", text("created_at DESC"), "id"),
    Index("applied_coupons_customer_idx", "customer_id", "created_at"),
    CheckConstraint("frequency_duration_remaining >= 0", name="remaining"),
)
