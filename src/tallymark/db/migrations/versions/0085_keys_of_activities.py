"""With which API key something was done, in the activity log."""

import sqlalchemy as sa
from alembic import op

revision = "0085"
down_revision = "0084"
branch_labels = None
depends_on = None

# Releases before this one neither read nor write what is new.
needs = None


def upgrade() -> None:
    op.add_column("activity_logs", sa.Column("api_key_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("activity_logs", "api_key_id")
