"""Late events: what an organization wants done with them, and where they count instead."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.engine import INGEST_ROLE

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

WINDOWS = """
CREATE FUNCTION tallymark_late_windows() RETURNS TABLE (organization_id uuid, days integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id, late_event_window_days FROM organizations WHERE late_event_window_days IS NOT NULL
$$
"""


def upgrade() -> None:
    op.add_column("organizations", sa.Column("late_event_window_days", sa.Integer(), nullable=True))
    op.add_column(
        "organizations",
        sa.Column("late_event_policy", sa.Text(), server_default=sa.text("'reject'"), nullable=False),
    )
    op.add_column("events", sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "events_occurred_idx",
        "events",
        ["stream_id", "occurred_at"],
        unique=False,
        postgresql_where=sa.text("occurred_at IS NOT NULL"),
    )
    for name in ("is_waiting", "is_rejected"):
        op.add_column(
            "late_events", sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)
        )
    op.add_column("late_events", sa.Column("subscription_id", sa.Uuid(), nullable=True))
    op.add_column("late_events", sa.Column("billed_from", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "late_events_treated_idx",
        "late_events",
        ["organization_id", "stream_id"],
        unique=False,
        postgresql_where=sa.text("is_waiting OR is_rejected OR billed_from IS NOT NULL"),
    )
    # Which of two events is the later one says more than their place now: what was added up by it is added up anew.
    op.execute(
        "UPDATE rollups SET retired_at = now() WHERE retired_at IS NULL"
        " AND aggregation_type IN ('latest_agg', 'unique_count_agg')"
    )
    op.execute(WINDOWS)
    op.execute("REVOKE ALL ON FUNCTION tallymark_late_windows FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION tallymark_late_windows TO {INGEST_ROLE}")
    op.execute(f"GRANT INSERT ON late_events TO {INGEST_ROLE}")
    op.execute(f"CREATE POLICY ingest_add ON late_events FOR INSERT TO {INGEST_ROLE} WITH CHECK (true)")
    op.execute(
        "CREATE CONSTRAINT TRIGGER late_windows_changed AFTER UPDATE ON organizations"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        " WHEN (OLD.late_event_window_days IS DISTINCT FROM NEW.late_event_window_days)"
        " EXECUTE FUNCTION tallymark_raise_version('advance_codes')"
    )
