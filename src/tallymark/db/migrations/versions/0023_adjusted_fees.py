"""Fees of drafts that are told otherwise by hand."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.tenancy import isolate

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

REFERENCES = ("organization", "invoice", "subscription", "charge", "charge_filter", "fixed_charge")


def upgrade() -> None:
    op.create_table(
        "adjusted_fees",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("fee_type", sa.Text(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=True),
        sa.Column("charge_filter_id", sa.Uuid(), nullable=True),
        sa.Column("fixed_charge_id", sa.Uuid(), nullable=True),
        sa.Column("grouped_by", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("units", sa.Numeric(), nullable=True),
        sa.Column("unit_precise_amount", sa.Numeric(), nullable=True),
        sa.Column("invoice_display_name", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "units >= 0 AND unit_precise_amount >= 0", name=op.f("adjusted_fees_amounts_check")
        ),
        *(
            sa.ForeignKeyConstraint(
                [f"{name}_id"], [f"{name}s.id"], name=op.f(f"adjusted_fees_{name}_id_fkey")
            )
            for name in REFERENCES
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("adjusted_fees_pkey")),
    )
    op.create_index(op.f("adjusted_fees_invoice_id_idx"), "adjusted_fees", ["invoice_id"])
    for statement in isolate("adjusted_fees"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("adjusted_fees")
