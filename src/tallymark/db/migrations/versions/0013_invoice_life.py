"""What becomes of an invoice after it was issued: notes on it, and disputes."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.tenancy import isolate

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ISOLATED = ("invoice_metadata",)


def upgrade() -> None:
    op.create_table(
        "invoice_metadata",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("invoice_metadata_invoice_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("invoice_metadata_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("invoice_metadata_pkey")),
        sa.UniqueConstraint("invoice_id", "key", name=op.f("invoice_metadata_invoice_id_key_key")),
    )
    op.add_column("invoices", sa.Column("payment_dispute_lost_at", sa.DateTime(timezone=True), nullable=True))
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
