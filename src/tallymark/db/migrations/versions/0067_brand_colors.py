"""The colour in which an issuer's documents and its customers' portal are."""

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("billing_entities", sa.Column("brand_color", sa.Text(), nullable=True))
