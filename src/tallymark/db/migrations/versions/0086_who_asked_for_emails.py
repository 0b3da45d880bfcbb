"""Who asked for an e-mail that is sent again."""

import sqlalchemy as sa
from alembic import op

revision = "0086"
down_revision = "0085"
branch_labels = None
depends_on = None

# Releases before this one neither read nor write what is new.
needs = None

COLUMNS = (
    sa.Column("source", sa.Text(), nullable=True),
    sa.Column("api_key_id", sa.Uuid(), nullable=True),
    sa.Column("user_email", sa.Text(), nullable=True),
)


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("emails", column)


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_column("emails", column.name)
