"""Versions of events that were corrected, and roll-ups that follow them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.engine import TENANT_ROLE
from tallymark.db.tenancy import isolate

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

# For whoever changes events that are stored: until the end of its transaction no roll-up is begun.
HOLD = """
CREATE FUNCTION tallymark_hold_rules() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM versions WHERE name = 'advance_codes' FOR SHARE;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "event_versions",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("is_void", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("properties", postgresql.JSONB(), nullable=False),
        sa.Column("precise_total_amount_cents", sa.Numeric(40, 15), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("api_key_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "version", name=op.f("event_versions_pkey")),
    )
    # What was, stays: tenants can add versions, and neither change nor delete any.
    for statement in isolate("event_versions", verbs="SELECT, INSERT"):
        op.execute(statement)
    op.execute(HOLD)
    op.execute("REVOKE ALL ON FUNCTION tallymark_hold_rules() FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION tallymark_hold_rules() TO {TENANT_ROLE}")
    op.add_column("rollups", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint("rollups_question_key", "rollups")
    op.create_index(
        "rollups_question_idx",
        "rollups",
        ["stream_id", "aggregation_type", "field_name", "dimensions", "since", "until"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.execute(f"GRANT UPDATE (retired_at) ON rollups TO {TENANT_ROLE}")
    op.execute(f"GRANT INSERT, UPDATE ON rollup_parts TO {TENANT_ROLE}")


def downgrade() -> None:
    op.drop_index("rollups_question_idx", "rollups")
    op.execute("DELETE FROM rollup_parts USING rollups r WHERE r.id = rollup_id AND r.retired_at IS NOT NULL")
    op.execute("DELETE FROM rollups WHERE retired_at IS NOT NULL")
    op.drop_column("rollups", "retired_at")
    op.create_unique_constraint(
        "rollups_question_key",
        "rollups",
        ["stream_id", "aggregation_type", "field_name", "dimensions", "since", "until"],
    )
    op.execute("DROP FUNCTION tallymark_hold_rules()")
    op.drop_table("event_versions")
