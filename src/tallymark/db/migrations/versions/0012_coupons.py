"""Coupons, and to whom they are given."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.tenancy import isolate

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ISOLATED = (
    "coupons",
    "coupon_targets",
    "applied_coupons",
)


def upgrade() -> None:
    op.create_table(
        "coupons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("coupon_type", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("amount_currency", sa.Text(), nullable=True),
        sa.Column("percentage_rate", sa.Numeric(), nullable=True),
        sa.Column("frequency", sa.Text(), nullable=False),
        sa.Column("frequency_duration", sa.Integer(), nullable=True),
        sa.Column("expiration", sa.Text(), nullable=False),
        sa.Column("expiration_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reusable", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("limited_plans", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("limited_billable_metrics", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("terminated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "NOT (limited_plans AND limited_billable_metrics)", name=op.f("coupons_one_limitation_check")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("coupons_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("coupons_pkey")),
    )
    op.create_index(
        "coupons_code_key",
        "coupons",
        ["organization_id", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "coupon_targets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("coupon_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("billable_metric_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(plan_id IS NULL) <> (billable_metric_id IS NULL)", name=op.f("coupon_targets_one_target_check")
        ),
        sa.ForeignKeyConstraint(
            ["billable_metric_id"],
            ["billable_metrics.id"],
            name=op.f("coupon_targets_billable_metric_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"], name=op.f("coupon_targets_coupon_id_fkey")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("coupon_targets_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("coupon_targets_plan_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("coupon_targets_pkey")),
    )
    op.create_index(
        op.f("coupon_targets_billable_metric_id_idx"), "coupon_targets", ["billable_metric_id"], unique=False
    )
    op.create_index(op.f("coupon_targets_coupon_id_idx"), "coupon_targets", ["coupon_id"], unique=False)
    op.create_index(op.f("coupon_targets_plan_id_idx"), "coupon_targets", ["plan_id"], unique=False)
    op.create_table(
        "applied_coupons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("coupon_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("amount_currency", sa.Text(), nullable=True),
        sa.Column("percentage_rate", sa.Numeric(), nullable=True),
        sa.Column("frequency", sa.Text(), nullable=False),
        sa.Column("frequency_duration", sa.Integer(), nullable=True),
        sa.Column("frequency_duration_remaining", sa.Integer(), nullable=True),
        sa.Column("terminated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("frequency_duration_remaining >= 0", name=op.f("applied_coupons_remaining_check")),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"], name=op.f("applied_coupons_coupon_id_fkey")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("applied_coupons_customer_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("applied_coupons_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("applied_coupons_pkey")),
    )
    op.create_index(op.f("applied_coupons_coupon_id_idx"), "applied_coupons", ["coupon_id"], unique=False)
    op.create_index(
        "applied_coupons_customer_idx", "applied_coupons", ["customer_id", "created_at"], unique=False
    )
    op.create_index(
        "applied_coupons_newest_idx",
        "applied_coupons",
        ["organization_id", sa.literal_column("created_at DESC"), "id"],
        unique=False,
    )
    op.add_column("invoice_credits", sa.Column("coupon_id", sa.Uuid(), nullable=True))
    op.add_column("invoice_credits", sa.Column("applied_coupon_id", sa.Uuid(), nullable=True))
    op.create_index(
        op.f("invoice_credits_applied_coupon_id_idx"), "invoice_credits", ["applied_coupon_id"], unique=False
    )
    op.create_foreign_key(
        op.f("invoice_credits_applied_coupon_id_fkey"),
        "invoice_credits",
        "applied_coupons",
        ["applied_coupon_id"],
        ["id"],
    )
    op.create_foreign_key(
        op.f("invoice_credits_coupon_id_fkey"), "invoice_credits", "coupons", ["coupon_id"], ["id"]
    )
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
