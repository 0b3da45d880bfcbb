"""Tables of what is sold: taxes, billable metrics, add-ons, plans with all that they charge."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    UniqueConstraint,
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
    precise,
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
    flag("auto_generated"),
    *timestamps(),
    instant("deleted_at"),
    Index("taxes_code_key", "organization_id", "code", unique=True, postgresql_where=LIVE),
)

pricing_units = Table(
    "pricing_units",
    metadata,
    id_column(),
    organization_column(),
    string("code", nullable=False),
    string("name", nullable=False),
    string("short_name", nullable=False),
    string("description"),
    *timestamps(),
    UniqueConstraint("organization_id", "code"),
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

billable_metric_filters = Table(
    "billable_metric_filters",
    metadata,
    id_column(),
    organization_column(),
    reference("billable_metric_id", "billable_metrics"),
    string("key", nullable=False),
    Column("values", JSONB, nullable=False),
    *timestamps(),
    UniqueConstraint("billable_metric_id", "key"),
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
    Column("metadata", JSONB),
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
    string("regroup_paid_fees"),
    flag("accepts_target_wallet"),
    cents("min_amount_cents"),
    reference("pricing_unit_id", "pricing_units", nullable=True),
    Column("conversion_rate", Numeric(40, 15)),
    string("invoice_display_name"),
    *timestamps(),
    instant("deleted_at"),
    CheckConstraint("(pricing_unit_id IS NULL) = (conversion_rate IS NULL)", name="pricing_unit"),
    Index("charges_code_key", "plan_id", "code", unique=True, postgresql_where=LIVE),
)

# One price list within a charge, for the events that have these values (pricing §6).
charge_filters = Table(
    "charge_filters",
    metadata,
    id_column(),
    organization_column(),
    reference("charge_id", "charges"),
    # {"metric filter key": ["value", …]}
    Column("values", JSONB, nullable=False),
    Column("properties", JSONB, nullable=False),
    string("invoice_display_name"),
    # The order in which filters are shown and billed: the longest unchanged first.
    Column("position", Integer, nullable=False),
    *timestamps(),
    instant("deleted_at"),
    Index("charge_filters_charge_idx", "charge_id", "position", postgresql_where=LIVE),
)

add_ons = Table(
    "add_ons",
    metadata,
    id_column(),
    organization_column(),
    string("code", nullable=False),
    string("name", nullable=False),
    string("invoice_display_name"),
    string("description"),
    cents("amount_cents"),
    string("amount_currency", nullable=False),
    *timestamps(),
    instant("deleted_at"),
    Index("add_ons_code_key", "organization_id", "code", unique=True, postgresql_where=LIVE),
    Index("add_ons_newest_idx", "organization_id", text("created_at DESC"), "id"),
    CheckConstraint("amount_cents > 0", name="amount"),
)

fixed_charges = Table(
    "fixed_charges",
    metadata,
    id_column(),
    organization_column(),
    reference("plan_id", "plans", index=True),
    reference("parent_id", "fixed_charges", nullable=True),
    reference("add_on_id", "add_ons", index=True),
    string("code", nullable=False),
    string("charge_model", nullable=False),
    Column("properties", JSONB, nullable=False),
    precise("units", 10),
    # Whether the last change of units counts at once, or from the next period of each subscription on.
    flag("apply_units_immediately"),
    flag("pay_in_advance"),
    flag("prorated"),
    string("invoice_display_name"),
    *timestamps(),
    instant("deleted_at"),
    Index("fixed_charges_code_key", "plan_id", "code", unique=True, postgresql_where=LIVE),
    CheckConstraint("units >= 0", name="units"),
)

commitments = Table(
    "commitments",
    metadata,
    id_column(),
    organization_column(),
    reference("plan_id", "plans"),
    cents("amount_cents"),
    string("invoice_display_name"),
    *timestamps(),
    UniqueConstraint("plan_id"),
    CheckConstraint("amount_cents > 0", name="amount"),
)

add_ons_taxes = taxes_of("add_ons")
fixed_charges_taxes = taxes_of("fixed_charges")
commitments_taxes = taxes_of("commitments")
plans_taxes = taxes_of("plans")
charges_taxes = taxes_of("charges")
billing_entities_taxes = taxes_of("billing_entities")
customers_taxes = taxes_of("customers")
