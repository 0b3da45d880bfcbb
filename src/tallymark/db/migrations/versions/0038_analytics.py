"""What analytics reads by: invoices that are overdue, and fees on no invoice."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "invoices_overdue_idx",
        "invoices",
        ["organization_id", "payment_due_date"],
        postgresql_where=sa.text("payment_overdue"),
    )
    op.create_index(
        "fees_uninvoiced_idx",
        "fees",
        ["organization_id", "created_at"],
        postgresql_where=sa.text("invoice_id IS NULL"),
    )
