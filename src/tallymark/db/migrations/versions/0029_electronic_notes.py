"""Credit notes and receipts as electronic documents: where their XML is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("credit_notes", "payment_receipts"):
        op.add_column(table, sa.Column("xml_key", sa.Text(), nullable=True))


def downgrade() -> None:
    for table in ("credit_notes", "payment_receipts"):
        op.drop_column(table, "xml_key")
