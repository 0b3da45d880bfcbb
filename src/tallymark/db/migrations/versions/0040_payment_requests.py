"""Overdue invoices that are asked for together, and payments of them as a whole."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.tenancy import isolate

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("billing_entity_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("payment_status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "payment_status IN ('pending', 'succeeded', 'failed')",
            name=op.f("payment_requests_payment_status_check"),
        ),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"payment_requests_{column}_fkey"))
            for column, table in (
                ("organization_id", "organizations"),
                ("customer_id", "customers"),
                ("billing_entity_id", "billing_entities"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("payment_requests_pkey")),
    )
    op.create_index(op.f("payment_requests_customer_id_idx"), "payment_requests", ["customer_id"])
    op.create_index(
        "payment_requests_newest_idx",
        "payment_requests",
        ["organization_id", sa.text("created_at DESC"), "id"],
    )
    op.create_table(
        "payment_requests_invoices",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("payment_request_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("paid_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"payment_requests_invoices_{column}_fkey")
            )
            for column, table in (
                ("organization_id", "organizations"),
                ("payment_request_id", "payment_requests"),
                ("invoice_id", "invoices"),
            )
        ),
        sa.PrimaryKeyConstraint(
            "payment_request_id", "invoice_id", name=op.f("payment_requests_invoices_pkey")
        ),
    )
    op.create_index(
        op.f("payment_requests_invoices_invoice_id_idx"), "payment_requests_invoices", ["invoice_id"]
    )
    op.alter_column("payments", "invoice_id", nullable=True)
    op.add_column("payments", sa.Column("payment_request_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("payments_payment_request_id_fkey"),
        "payments",
        "payment_requests",
        ["payment_request_id"],
        ["id"],
    )
    op.create_index(op.f("payments_payment_request_id_idx"), "payments", ["payment_request_id"])
    op.create_check_constraint(
        op.f("payments_payable_check"), "payments", "num_nonnulls(invoice_id, payment_request_id) = 1"
    )
    for table in ("payment_requests", "payment_requests_invoices"):
        for statement in isolate(table):
            op.execute(statement)
