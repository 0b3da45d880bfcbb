"""The last characters of API keys, by which people tell them apart."""

import sqlalchemy as sa
from alembic import op

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None

# Releases before this one neither read nor write what is new.
needs = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("ending", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("api_keys", "ending")
