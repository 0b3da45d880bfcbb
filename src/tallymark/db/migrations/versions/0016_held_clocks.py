"""Who moves a clock holds a lock; since when is not asked any more."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("test_clocks", "advancing_since")
