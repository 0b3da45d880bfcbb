"""Tables of what is sold: taxes, billable metrics, plans and their charges."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

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

LIVE = text("deleted_at IS NULL")


def taxes_of(owners: str) -> Table:
    """The taxes that an owner of this kind carries."""
    return Table(
        f"{owners}_taxes",
        metadata,
        organization_column(),
        Column("owner_id", Uuid, ForeignKey(f"{owners}.id"), primary_key=True),
        Column("tax_id", Uuid, ForeignKey("taxes.id"), primary_key=True, index=True),
    )


taxes = Table(
    "taxes",
    metadata,
    id_column(),
    organization_column(),
    string("code", nullable=False),
    string("name", nullable=False),
    Column("rate", Numeric, nullable=False),
    string("description"),
    flag("applied_to_organization"),
    *timestamps(),
    instant("deleted_at"),
    Index("taxes_code_key", "organization_id", "code", unique=True, postgresql_where=LIVE),
)

billable_metrics = Table(
    "billable_metrics",
    metadata,
    id_column(),
    organization_column(),
    string("code", nullable=False),
    string("name", nullable=False),
    string("description"),
    string("aggregation_type", nullable=False),
    string("field_name"),
    flag("recurring"),
    string("weighted_interval"),
    string("rounding_function"),
    Column("rounding_precision", Integer),
    string("expression"),
    *timestamps(),
    instant("deleted_at"),
    Index("billable_metrics_code_key", "organization_id", "code", unique=True, postgresql_where=LIVE),
    Index("billable_metrics_newest_idx", "organization_id", text("created_at DESC"), "id"),
)

plans = Table(
    "plans",
    metadata,
    id_column(),
    organization_column(),
    reference("parent_id", "plans", nullable=True, index=True),
    string("code", nullable=False),
    string("name", nullable=False),
    string("invoice_display_name"),
    string("description"),
    string("interval", nullable=False),
    cents("amount_cents"),
    string("amount_currency", nullable=False),
    flag("pay_in_advance"),
    Column("trial_period", Numeric),
    Column("bill_charges_monthly", Boolean),
    Column("bill_fixed_charges_monthly", Boolean),
    flag("pending_deletion"),
    *timestamps(),
    instant("deleted_at"),
    Index(
        "plans_code_key",
        "organization_id",
        "code",
        unique=True,
        postgresql_where=text("deleted_at IS NULL AND parent_id IS NULL"),
    ),
    Index("plans_newest_idx", "organization_id", text("created_at DESC"), "id"),
    CheckConstraint("amount_cents >= 0", name="amount"),
    CheckConstraint(
        "interval IN ('weekly', 'monthly', 'quarterly', 'semiannual', 'yearly')", name="interval"
    ),
)

charges = Table(
    "charges",
    metadata,
    id_column(),
    organization_column(),
    reference("plan_id", "plans", index=True),
    reference("parent_id", "charges", nullable=True),
    reference("billable_metric_id", "billable_metrics", index=True),
    string("code", nullable=False),
    string("charge_model", nullable=False),
    Column("properties", JSONB, nullable=False),
    flag("pay_in_advance"),
    flag("invoiceable", default=True),
    flag("prorated"),
    cents("min_amount_cents"),
    string("invoice_display_name"),
    *timestamps(),
    instant("deleted_at"),
    Index("charges_code_key", "plan_id", "code", unique=True, postgresql_where=LIVE),
)

plans_taxes = taxes_of("plans")
charges_taxes = taxes_of("charges")
billing_entities_taxes = taxes_of("billing_entities")
customers_taxes = taxes_of("customers")
