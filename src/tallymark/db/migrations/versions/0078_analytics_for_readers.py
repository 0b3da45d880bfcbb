"""Everybody may ask the analytics views, which show nothing to who is no reader of them.

So no right names a reader: a dump is restored on servers that don't have the role.
"""

from alembic import op

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("GRANT USAGE ON SCHEMA analytics TO PUBLIC")
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO PUBLIC")


def downgrade() -> None:
    op.execute("REVOKE SELECT ON ALL TABLES IN SCHEMA analytics FROM PUBLIC")
    op.execute("REVOKE USAGE ON SCHEMA analytics FROM PUBLIC")
