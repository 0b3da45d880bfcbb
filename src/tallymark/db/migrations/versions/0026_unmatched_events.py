"""Events that count nowhere: what is noted of single ones, and from when on subscriptions are billed."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.tenancy import isolate

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "flawed_events",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("billable_metric_id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("flaw", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("flawed_events_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("event_id", "billable_metric_id", name=op.f("flawed_events_pkey")),
    )
    op.create_index("flawed_events_stream_idx", "flawed_events", ["stream_id", "timestamp"], unique=False)
    op.create_table(
        "late_events",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("late_events_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("late_events_pkey")),
    )
    op.create_index("late_events_stream_idx", "late_events", ["stream_id", "timestamp"], unique=False)
    for table in ("flawed_events", "late_events"):
        for statement in isolate(table):
            op.execute(statement)
    op.create_index(
        "billing_records_subscription_id_idx", "billing_records", ["subscription_id"], unique=False
    )
    op.create_table(
        "followers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("followers_pkey")),
    )
    op.execute(
        "INSERT INTO followers (name, read_until) "
        "VALUES ('unmatched_events', now()), ('events_errors', date_trunc('hour', now(), 'UTC'))"
    )
    op.create_index(
        "events_received_idx",
        "events",
        ["created_at"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    op.add_column("subscriptions", sa.Column("counts_from", sa.DateTime(timezone=True), nullable=True))
