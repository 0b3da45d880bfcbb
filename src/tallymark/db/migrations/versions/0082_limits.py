"""How much each organization may have, and how many events it sent in a month."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.tenancy import isolate

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None

# Releases before this one neither read nor write what is new.
needs = None

LIMITS = ("events_per_minute", "events_per_month", "members", "api_keys", "exports_under_way")
TABLES = ("organization_limits", "event_counts")


def upgrade() -> None:
    op.create_table(
        "organization_limits",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in LIMITS),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("organization_limits_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("organization_limits_pkey")),
    )
    op.create_table(
        "event_counts",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("event_counts_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("organization_id", "month", name=op.f("event_counts_pkey")),
    )
    # Tenants see both, and write neither.
    for table in TABLES:
        for statement in isolate(table, verbs="SELECT"):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
