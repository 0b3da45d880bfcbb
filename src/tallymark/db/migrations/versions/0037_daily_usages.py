"""What subscriptions had used by the end of each day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.tenancy import isolate

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "daily_usages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("usage_date", sa.Date(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("usage", postgresql.JSONB(), nullable=True),
        sa.Column("usage_diff", postgresql.JSONB(), nullable=True),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("daily_usages_subscription_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("daily_usages_pkey")),
        sa.UniqueConstraint(
            "subscription_id", "usage_date", name=op.f("daily_usages_subscription_id_usage_date_key")
        ),
    )
    op.create_index(
        "daily_usages_day_idx",
        "daily_usages",
        ["organization_id", "usage_date"],
        unique=False,
        postgresql_where=sa.text("usage IS NOT NULL"),
    )
    op.drop_index("fees_subscription_id_idx", "fees")
    op.create_index("fees_subscription_idx", "fees", ["subscription_id", "from_at"], unique=False)
    for statement in isolate("daily_usages"):
        op.execute(statement)
