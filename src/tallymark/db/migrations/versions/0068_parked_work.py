"""Work that is parked is counted for metrics, and found by index: there is little of it in a long agenda."""

from alembic import op
from sqlalchemy import text

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "agenda_parked_idx",
        "agenda",
        ["parked_at"],
        postgresql_where=text("parked_at IS NOT NULL AND NOT is_simulated"),
    )


def downgrade() -> None:
    op.drop_index("agenda_parked_idx", "agenda")
