"""Late events that wait to be judged are found by an index of their own, however many were judged before."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "late_events_waiting_idx",
        "late_events",
        ["organization_id", "stream_id"],
        unique=False,
        postgresql_where=sa.text("is_waiting"),
    )


def downgrade() -> None:
    op.drop_index("late_events_waiting_idx", "late_events")
