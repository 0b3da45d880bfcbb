"""How subscriptions are paid, and a quick way to invoices by purchase order."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "subscriptions",
        sa.Column("payment_method_type", sa.Text(), nullable=False, server_default="provider"),
    )
    op.create_index(
        "invoices_order_number_idx",
        "invoices",
        ["organization_id", sa.text("lower(purchase_order_number)")],
        postgresql_where=sa.text("purchase_order_number IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("invoices_order_number_idx", "invoices")
    op.drop_column("subscriptions", "payment_method_type")
