"""Deliveries of webhooks are listed: an organization's, newest first."""

from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("webhooks_organization_idx", "webhooks", ["organization_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("webhooks_organization_idx", "webhooks")
