"""Progressive invoices: the thresholds they were made for, and what later invoices credit of them."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.tenancy import isolate

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ISOLATED = ("applied_usage_thresholds",)


def upgrade() -> None:
    op.create_table(
        "applied_usage_thresholds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("charges_from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("level_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "lifetime_usage_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("usage_threshold_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("threshold_display_name", sa.Text(), nullable=True),
        sa.Column("recurring", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("threshold_created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("threshold_updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("applied_usage_thresholds_invoice_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("applied_usage_thresholds_organization_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("applied_usage_thresholds_subscription_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("applied_usage_thresholds_pkey")),
    )
    op.create_index(
        op.f("applied_usage_thresholds_invoice_id_idx"), "applied_usage_thresholds", ["invoice_id"]
    )
    op.create_index(
        "applied_usage_thresholds_level_key",
        "applied_usage_thresholds",
        ["subscription_id", "charges_from_at", "level_cents", "recurring"],
        unique=True,
    )
    op.add_column("invoice_credits", sa.Column("progressive_invoice_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("invoice_credits_progressive_invoice_id_fkey"),
        "invoice_credits",
        "invoices",
        ["progressive_invoice_id"],
        ["id"],
    )
    op.create_index(
        op.f("invoice_credits_progressive_invoice_id_idx"), "invoice_credits", ["progressive_invoice_id"]
    )
    op.create_index(
        "billing_records_progressive_idx",
        "billing_records",
        ["subscription_id", "charges_from_at"],
        postgresql_where=sa.text("invoicing_reason = 'progressive_billing'"),
    )
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
