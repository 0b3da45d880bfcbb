"""What was used before it was metered here."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.tenancy import isolate

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ISOLATED = ("lifetime_usages",)


def upgrade() -> None:
    op.create_table(
        "lifetime_usages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("external_subscription_id", sa.Text(), nullable=False),
        sa.Column("subscription_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "external_historical_usage_amount_cents",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "external_historical_usage_amount_cents >= 0", name=op.f("lifetime_usages_historical_check")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("lifetime_usages_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("lifetime_usages_pkey")),
        sa.UniqueConstraint(
            "organization_id",
            "external_subscription_id",
            "subscription_at",
            name=op.f("lifetime_usages_organization_id_external_subscription_id_subscription_at_key"),
        ),
    )
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
