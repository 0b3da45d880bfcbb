"""Webhooks belong to the trace of what they tell of."""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

TABLES = ("outbox", "webhooks")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("traceparent", sa.Text()))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "traceparent")
