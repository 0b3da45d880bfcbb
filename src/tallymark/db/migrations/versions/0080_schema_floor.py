"""Which releases can work on a schema that is newer than theirs (docs/operations/upgrades.md)."""

import sqlalchemy as sa
from alembic import op

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None

# Releases before this one refuse every schema that they do not know.
needs = revision


def upgrade() -> None:
    op.create_table(
        "schema_floor",
        sa.Column("revision", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("schema_floor_pkey")),
    )
    op.execute(f"INSERT INTO schema_floor (revision) VALUES ('{revision}')")


def downgrade() -> None:
    op.drop_table("schema_floor")
