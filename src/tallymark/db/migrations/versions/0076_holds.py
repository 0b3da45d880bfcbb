"""What holds an installation back that was restored from a backup."""

from alembic import op

from tallymark.db.holding import TABLE

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.drop_table("holds")
