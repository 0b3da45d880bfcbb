"""Electronic invoices: who issues them, and where their files are."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "billing_entities",
        sa.Column("einvoicing", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("invoices", sa.Column("xml_key", sa.Text(), nullable=True))
