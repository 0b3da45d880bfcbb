"""Credit notes, and what is deducted from invoices."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.tenancy import isolate

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ISOLATED = (
    "credit_notes",
    "invoice_credits",
    "credit_note_items",
    "credit_notes_applied_taxes",
)


def upgrade() -> None:
    op.create_table(
        "credit_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("sequential_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("credit_status", sa.Text(), nullable=False),
        sa.Column("refund_status", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("issuing_date", sa.Date(), nullable=False),
        sa.Column("total_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("credit_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refund_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("balance_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("taxes_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "sub_total_excluding_taxes_amount_cents",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column(
            "precise_coupons_adjustment_amount_cents",
            sa.Numeric(precision=60, scale=15),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column(
            "precise_taxes_amount_cents",
            sa.Numeric(precision=60, scale=15),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column(
            "precise_total_amount_cents",
            sa.Numeric(precision=60, scale=15),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("taxes_rate", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "balance_amount_cents BETWEEN 0 AND credit_amount_cents", name=op.f("credit_notes_balance_check")
        ),
        sa.CheckConstraint("refund_amount_cents >= 0", name=op.f("credit_notes_refund_check")),
        sa.CheckConstraint(
            "total_amount_cents = credit_amount_cents + refund_amount_cents",
            name=op.f("credit_notes_total_check"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("credit_notes_customer_id_fkey")
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("credit_notes_invoice_id_fkey")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("credit_notes_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("credit_notes_pkey")),
        sa.UniqueConstraint(
            "invoice_id", "sequential_id", name=op.f("credit_notes_invoice_id_sequential_id_key")
        ),
    )
    op.create_index(op.f("credit_notes_customer_id_idx"), "credit_notes", ["customer_id"], unique=False)
    op.create_index(
        "credit_notes_newest_idx",
        "credit_notes",
        ["organization_id", sa.literal_column("created_at DESC"), "id"],
        unique=False,
    )
    op.create_table(
        "invoice_credits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("credit_note_id", sa.Uuid(), nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("before_taxes", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("item_type", sa.Text(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("item_name", sa.Text(), nullable=False),
        sa.Column("item_description", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("invoice_credits_amount_check")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("invoice_credits_invoice_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("invoice_credits_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("invoice_credits_pkey")),
    )
    op.create_index(
        op.f("invoice_credits_credit_note_id_idx"), "invoice_credits", ["credit_note_id"], unique=False
    )
    op.create_index(op.f("invoice_credits_invoice_id_idx"), "invoice_credits", ["invoice_id"], unique=False)
    op.create_table(
        "credit_note_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("credit_note_id", sa.Uuid(), nullable=False),
        sa.Column("fee_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "precise_amount_cents",
            sa.Numeric(precision=60, scale=5),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["credit_note_id"], ["credit_notes.id"], name=op.f("credit_note_items_credit_note_id_fkey")
        ),
        sa.ForeignKeyConstraint(["fee_id"], ["fees.id"], name=op.f("credit_note_items_fee_id_fkey")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("credit_note_items_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("credit_note_items_pkey")),
    )
    op.create_index(
        op.f("credit_note_items_credit_note_id_idx"), "credit_note_items", ["credit_note_id"], unique=False
    )
    op.create_index(op.f("credit_note_items_fee_id_idx"), "credit_note_items", ["fee_id"], unique=False)
    op.create_table(
        "credit_notes_applied_taxes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("credit_note_id", sa.Uuid(), nullable=False),
        sa.Column("tax_id", sa.Uuid(), nullable=False),
        sa.Column("tax_code", sa.Text(), nullable=False),
        sa.Column("tax_name", sa.Text(), nullable=False),
        sa.Column("tax_description", sa.Text(), nullable=True),
        sa.Column("tax_rate", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("fees_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["credit_note_id"],
            ["credit_notes.id"],
            name=op.f("credit_notes_applied_taxes_credit_note_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("credit_notes_applied_taxes_organization_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("credit_notes_applied_taxes_pkey")),
    )
    op.create_index(
        op.f("credit_notes_applied_taxes_credit_note_id_idx"),
        "credit_notes_applied_taxes",
        ["credit_note_id"],
        unique=False,
    )
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
