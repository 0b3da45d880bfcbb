"""The people who correct events in the web app, beside the keys that do."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

TABLES = ("event_versions", "event_backfills")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("user_email", sa.Text(), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "user_email")
