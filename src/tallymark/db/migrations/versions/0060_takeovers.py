"""What is taken over from another system, and what that system had billed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.tenancy import isolate

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("taken_over_at", "made_elsewhere_at"):
        op.add_column("subscriptions", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "subscriptions",
        sa.Column("was_billed_elsewhere", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_check_constraint(
        op.f("subscriptions_taken_over_check"),
        "subscriptions",
        "(taken_over_at IS NULL) = (made_elsewhere_at IS NULL)",
    )
    op.add_column(
        "applied_coupons",
        sa.Column("used_elsewhere_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "applied_coupons",
        sa.Column("uses_elsewhere", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.create_table(
        "takeover_marks",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("takeover_marks_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("organization_id", "source", "kind", "key", name=op.f("takeover_marks_pkey")),
    )
    op.create_table(
        "elsewhere_fees",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("fee_type", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("precise_amount_cents", sa.Numeric(60, 15), server_default=sa.text("0"), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("elsewhere_fees_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("elsewhere_fees_subscription_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("elsewhere_fees_pkey")),
    )
    op.create_index(
        op.f("elsewhere_fees_subscription_id_idx"), "elsewhere_fees", ["subscription_id"], unique=False
    )
    for table in ("takeover_marks", "elsewhere_fees"):
        for statement in isolate(table):
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("elsewhere_fees")
    op.drop_table("takeover_marks")
    op.drop_column("applied_coupons", "uses_elsewhere")
    op.drop_column("applied_coupons", "used_elsewhere_cents")
    op.drop_constraint(op.f("subscriptions_taken_over_check"), "subscriptions")
    for name in ("was_billed_elsewhere", "made_elsewhere_at", "taken_over_at"):
        op.drop_column("subscriptions", name)
