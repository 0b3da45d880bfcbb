"""Archives of events, and the streams whose events left with them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.tenancy import isolate

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_archives",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("events_count", sa.BigInteger(), nullable=False),
        sa.Column("files", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("event_archives_pkey")),
    )
    op.create_table(
        "archived_streams",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("archive_id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.BigInteger(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("events_count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["archive_id"], ["event_archives.id"], name=op.f("archived_streams_archive_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("archived_streams_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("archive_id", "stream_id", name=op.f("archived_streams_pkey")),
    )
    op.create_index("archived_streams_stream_idx", "archived_streams", ["stream_id", "from_at"], unique=False)
    for statement in isolate("archived_streams", verbs="SELECT"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("archived_streams")
    op.drop_table("event_archives")
