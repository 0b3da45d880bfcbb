"""Payments and their receipts; where the files of credit notes are."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.tenancy import isolate

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ISOLATED = ("payments", "payment_receipts")


def upgrade() -> None:
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("payable_type", sa.Text(), nullable=False),
        sa.Column("payment_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("payment_status", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("payments_amount_check")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("payments_customer_id_fkey")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("payments_invoice_id_fkey")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("payments_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("payments_pkey")),
    )
    op.create_index(op.f("payments_customer_id_idx"), "payments", ["customer_id"])
    op.create_index(op.f("payments_invoice_id_idx"), "payments", ["invoice_id"])
    op.create_index("payments_newest_idx", "payments", ["organization_id", sa.text("created_at DESC"), "id"])
    op.create_table(
        "payment_receipts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("sequential_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("file_key", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("payment_receipts_customer_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("payment_receipts_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("payment_receipts_payment_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("payment_receipts_pkey")),
        sa.UniqueConstraint("payment_id", name=op.f("payment_receipts_payment_id_key")),
        sa.UniqueConstraint(
            "customer_id", "sequential_id", name=op.f("payment_receipts_customer_id_sequential_id_key")
        ),
    )
    op.create_index(
        "payment_receipts_newest_idx",
        "payment_receipts",
        ["organization_id", sa.text("created_at DESC"), "id"],
    )
    op.add_column("credit_notes", sa.Column("file_key", sa.Text(), nullable=True))
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
