"""Logos and European taxes of billing entities, providers of customers, VAT numbers to be checked."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.tenancy import isolate

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ISOLATED = ("vat_checks",)


def upgrade() -> None:
    op.create_table(
        "vat_checks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("vat_number", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("vat_checks_customer_id_fkey")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("vat_checks_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("vat_checks_pkey")),
        sa.UniqueConstraint("customer_id", name=op.f("vat_checks_customer_id_key")),
    )
    op.add_column(
        "billing_entities",
        sa.Column("eu_tax_management", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("billing_entities", sa.Column("logo_key", sa.Text(), nullable=True))
    op.add_column("customers", sa.Column("payment_provider", sa.Text(), nullable=True))
    op.add_column("customers", sa.Column("payment_provider_code", sa.Text(), nullable=True))
    op.add_column("invoices", sa.Column("tax_status", sa.Text(), nullable=True))
    op.add_column(
        "taxes", sa.Column("auto_generated", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
