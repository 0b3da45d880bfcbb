"""Roll-ups of busy streams, and a hold on the rules that flushes go by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.engine import INGEST_ROLE
from tallymark.db.tenancy import isolate

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

# Whoever raises the version waits for the flushes that go by the one before, and what it changed comes after them.
HOLD = """
CREATE FUNCTION tallymark_hold_rules(known bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM versions WHERE name = 'advance_codes' AND value = known FOR SHARE;
    RETURN FOUND;
END $$
"""


def upgrade() -> None:
    _create_tables()
    op.execute(HOLD)
    op.execute("REVOKE ALL ON FUNCTION tallymark_hold_rules FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION tallymark_hold_rules TO {INGEST_ROLE}")
    for statement in (*isolate("rollups", verbs="SELECT, INSERT"), *isolate("rollup_parts", verbs="SELECT")):
        op.execute(statement)
    for table, verbs in (("rollups", "SELECT"), ("rollup_parts", "SELECT, INSERT, UPDATE")):
        op.execute(f"GRANT {verbs} ON {table} TO {INGEST_ROLE}")
        op.execute(f"CREATE POLICY ingest_add ON {table} TO {INGEST_ROLE} USING (true) WITH CHECK (true)")


def downgrade() -> None:
    op.drop_table("rollup_parts")
    op.drop_table("rollups")
    op.execute("DROP FUNCTION tallymark_hold_rules")


def _create_tables() -> None:
    op.create_table(
        "rollups",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.BigInteger(), nullable=False),
        sa.Column("aggregation_type", sa.Text(), nullable=False),
        sa.Column("field_name", sa.Text(), server_default="", nullable=False),
        sa.Column("dimensions", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("'-infinity'"), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), server_default=sa.text("'infinity'"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("rollups_pkey")),
        sa.UniqueConstraint(
            "stream_id",
            "aggregation_type",
            "field_name",
            "dimensions",
            "since",
            "until",
            name="rollups_question_key",
        ),
    )
    op.create_index(op.f("rollups_version_idx"), "rollups", ["version"], unique=False)
    op.create_index(
        "rollups_wanted_idx",
        "rollups",
        ["id"],
        unique=False,
        postgresql_where=sa.text("built_at IS NULL AND declined_at IS NULL"),
    )
    op.create_table(
        "rollup_parts",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("rollup_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.Uuid(), nullable=False),
        sa.Column("is_base", sa.Boolean(), nullable=False),
        sa.Column("properties", postgresql.JSONB(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Numeric(), nullable=True),
        sa.Column("moment", sa.Numeric(), nullable=True),
        sa.Column("amount", sa.Numeric(), nullable=True),
        sa.Column("greatest", sa.Numeric(), nullable=True),
        sa.Column("last", sa.ARRAY(sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("rollup_id", "hour", "place", "is_base", name=op.f("rollup_parts_pkey")),
    )
    # Rows are added to in place: room for that on each page keeps the index out of it.
    op.execute("ALTER TABLE rollup_parts SET (fillfactor = 70)")
