"""Credit notes that take off what is due of their own invoice, and what is written on them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.tenancy import isolate

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ISOLATED = ("invoice_settlements",)


def upgrade() -> None:
    op.create_table(
        "invoice_settlements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("settlement_type", sa.Text(), nullable=False),
        sa.Column("credit_note_id", sa.Uuid(), nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("invoice_settlements_amount_check")),
        sa.ForeignKeyConstraint(
            ["credit_note_id"], ["credit_notes.id"], name=op.f("invoice_settlements_credit_note_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("invoice_settlements_invoice_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("invoice_settlements_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("invoice_settlements_pkey")),
    )
    op.create_index(op.f("invoice_settlements_invoice_id_idx"), "invoice_settlements", ["invoice_id"])
    for table in ("invoices", "credit_notes"):
        op.add_column(
            table,
            sa.Column("offset_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        )
    op.create_check_constraint(
        op.f("invoices_not_overpaid_check"),
        "invoices",
        "total_paid_amount_cents + offset_amount_cents <= total_amount_cents",
    )
    op.add_column("credit_notes", sa.Column("metadata", postgresql.JSONB(), nullable=True))
    op.add_column("credit_notes", sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("total", "refund"):
        op.drop_constraint(op.f(f"credit_notes_{name}_check"), "credit_notes")
    for name, condition in (
        ("total", "total_amount_cents = credit_amount_cents + refund_amount_cents + offset_amount_cents"),
        ("sum", "total_amount_cents = sub_total_excluding_taxes_amount_cents + taxes_amount_cents"),
        ("parts", "refund_amount_cents >= 0 AND offset_amount_cents >= 0"),
    ):
        op.create_check_constraint(op.f(f"credit_notes_{name}_check"), "credit_notes", condition)
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
