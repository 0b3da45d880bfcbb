"""Links by which people sign up, once their address is confirmed."""

import sqlalchemy as sa
from alembic import op

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None

# Releases before this one neither read nor write what is new.
needs = None


def upgrade() -> None:
    op.create_table(
        "sign_ups",
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("email", name=op.f("sign_ups_pkey")),
        sa.UniqueConstraint("token_hash", name=op.f("sign_ups_token_hash_key")),
    )


def downgrade() -> None:
    op.drop_table("sign_ups")
