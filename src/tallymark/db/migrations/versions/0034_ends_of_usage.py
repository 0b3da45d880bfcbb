"""A subscription that has ended knows where its usage ends: an end with a day leaves the day that begins then to the next one."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("usage_ends_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("""
        UPDATE subscriptions s SET usage_ends_at = coalesce(
            (SELECT max(b.charges_to_at) FROM billing_records b
             WHERE b.subscription_id = s.id AND b.invoicing_reason = 'subscription_terminating'),
            s.terminated_at + interval '1 microsecond')
        WHERE s.terminated_at IS NOT NULL
    """)
    op.create_check_constraint(
        "usage_ends", "subscriptions", "(terminated_at IS NULL) = (usage_ends_at IS NULL)"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("subscriptions_usage_ends_check"), "subscriptions")
    op.drop_column("subscriptions", "usage_ends_at")
