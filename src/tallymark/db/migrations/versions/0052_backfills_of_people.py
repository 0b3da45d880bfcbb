"""Backfills that somebody opened in the web app have no key."""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE event_backfills ALTER COLUMN api_key_id DROP NOT NULL")
