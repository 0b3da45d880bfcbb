"""Credit notes that are asked for on drafts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.tenancy import isolate

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

TABLE = "draft_credit_notes"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(), nullable=True),
        sa.Column("credit_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("offset_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("items", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "credit_amount_cents >= 0 AND offset_amount_cents >= 0", name=op.f(f"{TABLE}_parts_check")
        ),
        *(
            sa.ForeignKeyConstraint([f"{name}_id"], [f"{name}s.id"], name=op.f(f"{TABLE}_{name}_id_fkey"))
            for name in ("organization", "invoice")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"{TABLE}_pkey")),
    )
    op.create_index(op.f(f"{TABLE}_invoice_id_idx"), TABLE, ["invoice_id"])
    for statement in isolate(TABLE):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table(TABLE)
