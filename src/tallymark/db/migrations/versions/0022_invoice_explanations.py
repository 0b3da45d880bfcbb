"""Invoices keep how their totals came to be."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invoices", sa.Column("explanation", postgresql.JSONB(), nullable=True))
    op.add_column("invoice_credits", sa.Column("terms", postgresql.JSONB(), nullable=True))
