"""Charge filters, add-ons, fixed charges, commitments, thresholds, pricing units, and the outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.tenancy import isolate

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ISOLATED = (
    "add_ons",
    "outbox",
    "pricing_units",
    "add_ons_taxes",
    "commitments",
    "fixed_charges",
    "charge_filters",
    "commitments_taxes",
    "fixed_charges_taxes",
    "fixed_charge_unit_events",
    "subscription_fixed_charge_units",
    "usage_thresholds",
)


def upgrade() -> None:
    op.create_table(
        "add_ons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("invoice_display_name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("amount_currency", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_cents > 0", name=op.f("add_ons_amount_check")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("add_ons_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("add_ons_pkey")),
    )
    op.create_index(
        "add_ons_code_key",
        "add_ons",
        ["organization_id", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "add_ons_newest_idx",
        "add_ons",
        ["organization_id", sa.literal_column("created_at DESC"), "id"],
        unique=False,
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("webhook_type", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("outbox_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("outbox_pkey")),
    )
    op.create_index("outbox_object_idx", "outbox", ["organization_id", "object_id"], unique=False)
    op.create_table(
        "pricing_units",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("short_name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("pricing_units_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pricing_units_pkey")),
        sa.UniqueConstraint("organization_id", "code", name=op.f("pricing_units_organization_id_code_key")),
    )
    op.create_table(
        "add_ons_taxes",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("tax_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("add_ons_taxes_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["add_ons.id"], name=op.f("add_ons_taxes_owner_id_fkey")),
        sa.ForeignKeyConstraint(["tax_id"], ["taxes.id"], name=op.f("add_ons_taxes_tax_id_fkey")),
        sa.PrimaryKeyConstraint("owner_id", "tax_id", name=op.f("add_ons_taxes_pkey")),
    )
    op.create_index(op.f("add_ons_taxes_tax_id_idx"), "add_ons_taxes", ["tax_id"], unique=False)
    op.create_table(
        "commitments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("invoice_display_name", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("commitments_amount_check")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("commitments_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("commitments_plan_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("commitments_pkey")),
        sa.UniqueConstraint("plan_id", name=op.f("commitments_plan_id_key")),
    )
    op.create_table(
        "fixed_charges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("add_on_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("charge_model", sa.Text(), nullable=False),
        sa.Column("properties", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("units", sa.Numeric(precision=60, scale=10), server_default=sa.text("0"), nullable=False),
        sa.Column("pay_in_advance", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("prorated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("invoice_display_name", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("units >= 0", name=op.f("fixed_charges_units_check")),
        sa.ForeignKeyConstraint(["add_on_id"], ["add_ons.id"], name=op.f("fixed_charges_add_on_id_fkey")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fixed_charges_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["fixed_charges.id"], name=op.f("fixed_charges_parent_id_fkey")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fixed_charges_plan_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("fixed_charges_pkey")),
    )
    op.create_index(op.f("fixed_charges_add_on_id_idx"), "fixed_charges", ["add_on_id"], unique=False)
    op.create_index(
        "fixed_charges_code_key",
        "fixed_charges",
        ["plan_id", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("fixed_charges_plan_id_idx"), "fixed_charges", ["plan_id"], unique=False)
    op.create_table(
        "charge_filters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("properties", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("invoice_display_name", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["charge_id"], ["charges.id"], name=op.f("charge_filters_charge_id_fkey")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("charge_filters_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("charge_filters_pkey")),
    )
    op.create_index(
        "charge_filters_charge_idx",
        "charge_filters",
        ["charge_id", "position"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "commitments_taxes",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("tax_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("commitments_taxes_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["commitments.id"], name=op.f("commitments_taxes_owner_id_fkey")
        ),
        sa.ForeignKeyConstraint(["tax_id"], ["taxes.id"], name=op.f("commitments_taxes_tax_id_fkey")),
        sa.PrimaryKeyConstraint("owner_id", "tax_id", name=op.f("commitments_taxes_pkey")),
    )
    op.create_index(op.f("commitments_taxes_tax_id_idx"), "commitments_taxes", ["tax_id"], unique=False)
    op.create_table(
        "fixed_charges_taxes",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("tax_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fixed_charges_taxes_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["fixed_charges.id"], name=op.f("fixed_charges_taxes_owner_id_fkey")
        ),
        sa.ForeignKeyConstraint(["tax_id"], ["taxes.id"], name=op.f("fixed_charges_taxes_tax_id_fkey")),
        sa.PrimaryKeyConstraint("owner_id", "tax_id", name=op.f("fixed_charges_taxes_pkey")),
    )
    op.create_index(op.f("fixed_charges_taxes_tax_id_idx"), "fixed_charges_taxes", ["tax_id"], unique=False)
    op.create_table(
        "fixed_charge_unit_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("fixed_charge_id", sa.Uuid(), nullable=False),
        sa.Column("units", sa.Numeric(precision=60, scale=10), server_default=sa.text("0"), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["fixed_charge_id"],
            ["fixed_charges.id"],
            name=op.f("fixed_charge_unit_events_fixed_charge_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fixed_charge_unit_events_organization_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fixed_charge_unit_events_subscription_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("fixed_charge_unit_events_pkey")),
    )
    op.create_index(
        "fixed_charge_unit_events_idx",
        "fixed_charge_unit_events",
        ["subscription_id", "fixed_charge_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "subscription_fixed_charge_units",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("fixed_charge_id", sa.Uuid(), nullable=False),
        sa.Column("units", sa.Numeric(precision=60, scale=10), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["fixed_charge_id"],
            ["fixed_charges.id"],
            name=op.f("subscription_fixed_charge_units_fixed_charge_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("subscription_fixed_charge_units_organization_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("subscription_fixed_charge_units_subscription_id_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "subscription_id", "fixed_charge_id", name=op.f("subscription_fixed_charge_units_pkey")
        ),
    )
    op.create_table(
        "usage_thresholds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("threshold_display_name", sa.Text(), nullable=True),
        sa.Column("recurring", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(plan_id IS NULL) <> (subscription_id IS NULL)", name=op.f("usage_thresholds_owner_check")
        ),
        sa.CheckConstraint("amount_cents > 0", name=op.f("usage_thresholds_amount_check")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("usage_thresholds_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("usage_thresholds_plan_id_fkey")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("usage_thresholds_subscription_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("usage_thresholds_pkey")),
    )
    op.create_index(op.f("usage_thresholds_plan_id_idx"), "usage_thresholds", ["plan_id"], unique=False)
    op.create_index(
        op.f("usage_thresholds_subscription_id_idx"), "usage_thresholds", ["subscription_id"], unique=False
    )
    op.add_column("charges", sa.Column("regroup_paid_fees", sa.Text(), nullable=True))
    op.add_column(
        "charges",
        sa.Column("accepts_target_wallet", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("charges", sa.Column("pricing_unit_id", sa.Uuid(), nullable=True))
    op.add_column("charges", sa.Column("conversion_rate", sa.Numeric(precision=40, scale=15), nullable=True))
    op.create_foreign_key(
        op.f("charges_pricing_unit_id_fkey"), "charges", "pricing_units", ["pricing_unit_id"], ["id"]
    )
    op.add_column("fees", sa.Column("charge_filter_id", sa.Uuid(), nullable=True))
    op.add_column("fees", sa.Column("fixed_charge_id", sa.Uuid(), nullable=True))
    op.add_column("fees", sa.Column("add_on_id", sa.Uuid(), nullable=True))
    op.add_column("fees", sa.Column("true_up_parent_fee_id", sa.Uuid(), nullable=True))
    op.add_column(
        "fees",
        sa.Column(
            "presentation_breakdowns",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    )
    op.add_column(
        "fees", sa.Column("pricing_unit_details", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.add_column("fees", sa.Column("filter_display_name", sa.Text(), nullable=True))
    op.add_column("fees", sa.Column("event_id", sa.Uuid(), nullable=True))
    op.add_column("fees", sa.Column("event_transaction_id", sa.Text(), nullable=True))
    op.create_index(
        "fees_event_key",
        "fees",
        ["event_id", "charge_id"],
        unique=True,
        postgresql_where=sa.text("event_id IS NOT NULL"),
    )
    op.create_index(
        "fees_standalone_idx",
        "fees",
        ["subscription_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("invoice_id IS NULL"),
    )
    op.create_foreign_key(op.f("fees_add_on_id_fkey"), "fees", "add_ons", ["add_on_id"], ["id"])
    op.create_foreign_key(
        op.f("fees_fixed_charge_id_fkey"), "fees", "fixed_charges", ["fixed_charge_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fees_true_up_parent_fee_id_fkey"), "fees", "fees", ["true_up_parent_fee_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fees_charge_filter_id_fkey"), "fees", "charge_filters", ["charge_filter_id"], ["id"]
    )
    op.add_column("plans", sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column(
        "subscriptions",
        sa.Column(
            "progressive_billing_disabled", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
    )
    op.create_index(op.f("fees_true_up_parent_fee_id_idx"), "fees", ["true_up_parent_fee_id"], unique=False)
    op.create_check_constraint(
        op.f("charges_pricing_unit_check"), "charges", "(pricing_unit_id IS NULL) = (conversion_rate IS NULL)"
    )
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
