"""The fees of one customer are found without those of the others."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("fees_customer_idx", "fees", ["customer_id", "created_at", "id"])


def downgrade() -> None:
    op.drop_index("fees_customer_idx", "fees")
