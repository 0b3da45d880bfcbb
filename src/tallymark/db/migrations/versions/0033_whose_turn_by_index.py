"""The index of what is due is in the order in which it is done, so that the next wave is found without sorting all of it."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

ORDER = ["organization_id", "run_at", "kind"]


def upgrade() -> None:
    op.drop_index("agenda_tenant_idx", "agenda")
    op.create_index("agenda_tenant_idx", "agenda", [*ORDER, "owner_id", "subject_id"])


def downgrade() -> None:
    op.drop_index("agenda_tenant_idx", "agenda")
    op.create_index("agenda_tenant_idx", "agenda", ORDER)
