"""Backfills: events that are to replace those of a stretch of time, and what they replaced."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.tenancy import isolate

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_backfills",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.BigInteger(), nullable=False),
        sa.Column("external_subscription_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("api_key_id", sa.Uuid(), nullable=False),
        sa.Column("periods", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reverted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("event_backfills_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("event_backfills_pkey")),
        sa.CheckConstraint(
            "status IN ('open', 'closed', 'reverted')", name=op.f("event_backfills_status_check")
        ),
    )
    op.create_index(
        "event_backfills_organization_id_idx", "event_backfills", ["organization_id", "id"], unique=False
    )
    op.create_index("event_backfills_stream_idx", "event_backfills", ["stream_id", "closed_at"], unique=False)
    op.create_table(
        "backfilled_events",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("backfill_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("is_added", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_new", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("transaction_id", sa.Text(), nullable=True),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column("properties", postgresql.JSONB(), nullable=True),
        sa.Column("precise_total_amount_cents", sa.Numeric(40, 15), nullable=True),
        sa.Column("version_before", sa.Integer(), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("was_void", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("was_held", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["backfill_id"],
            ["event_backfills.id"],
            name=op.f("backfilled_events_backfill_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("backfill_id", "event_id", name=op.f("backfilled_events_pkey")),
    )
    for table in ("event_backfills", "backfilled_events"):
        for statement in isolate(table):
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("backfilled_events")
    op.drop_table("event_backfills")
