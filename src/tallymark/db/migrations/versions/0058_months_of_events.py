"""Events by months, and a key for each that was ever acknowledged (docs/decisions/0028)."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.engine import INGEST_ROLE, TENANT_ROLE
from tallymark.db.tenancy import isolate

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

# Before: an event that moves to another month leaves its table and enters another, and no trigger after an update tells.
FOLLOW = """
CREATE FUNCTION tallymark_follow_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE event_keys SET stream_id = NEW.stream_id, timestamp = NEW.timestamp WHERE id = NEW.id;
    RETURN NEW;
END $$
"""
FOLLOWED = """
CREATE TRIGGER events_followed BEFORE UPDATE OF stream_id, timestamp ON events
FOR EACH ROW EXECUTE FUNCTION tallymark_follow_event()
"""
# What came for that month before it was opened is moved there; of a month under way that may be too much.
OPEN = """
CREATE FUNCTION tallymark_open_month(opened date) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    name text := 'events_' || to_char(opened, 'YYYY_MM');
    starts timestamptz := opened::timestamp AT TIME ZONE 'UTC';
    ends timestamptz := (opened + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    IF starts <= now() AND EXISTS (SELECT FROM events_rest WHERE timestamp >= starts AND timestamp < ends) THEN
        RETURN false;
    END IF;
    LOCK TABLE events_rest IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING DEFAULTS)', name);
    EXECUTE format(
        'WITH moved AS (DELETE FROM events_rest WHERE timestamp >= %L AND timestamp < %L RETURNING *)'
        ' INSERT INTO %I SELECT * FROM moved', starts, ends, name);
    EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, starts, ends);
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END $$
"""
VIEW = """
CREATE VIEW events_by_id WITH (security_invoker = true) AS
SELECT k.id, e.stream_id, e.timestamp, e.created_at, e.organization_id, e.transaction_id, e.properties,
       e.precise_total_amount_cents, e.occurred_at
FROM event_keys k JOIN events e ON e.stream_id = k.stream_id AND e.timestamp = k.timestamp AND e.id = k.id
"""
TABLE = """
CREATE TABLE events (LIKE events_rest INCLUDING DEFAULTS, CONSTRAINT events_pkey PRIMARY KEY (stream_id, timestamp, id))
PARTITION BY RANGE (timestamp)
"""
OCCURRED = "CREATE INDEX events_occurred_idx ON events (stream_id, occurred_at) WHERE occurred_at IS NOT NULL"
RECEIVED = "CREATE INDEX events_received_idx ON events USING brin (created_at) WITH (autosummarize = on)"


def upgrade() -> None:
    _keep_keys()
    op.execute("ALTER TABLE events RENAME TO events_rest")
    for policy in ("tenant", "ingest_add", "ingest_keys"):
        op.execute(f"DROP POLICY {policy} ON events_rest")
    op.execute("ALTER TABLE events_rest DISABLE ROW LEVEL SECURITY")
    op.execute(f"REVOKE ALL ON events_rest FROM {TENANT_ROLE}, {INGEST_ROLE}")
    op.execute("ALTER TABLE events_rest DROP CONSTRAINT events_pkey")
    op.execute("DROP INDEX events_stream_idx")
    for index in ("occurred", "received"):
        op.execute(f"ALTER INDEX events_{index}_idx RENAME TO events_rest_{index}_idx")
    for statement in (TABLE, OCCURRED, RECEIVED, *isolate("events")):
        op.execute(statement)
    op.execute(f"GRANT INSERT ON events TO {INGEST_ROLE}")
    op.execute(f"CREATE POLICY ingest_add ON events FOR INSERT TO {INGEST_ROLE} WITH CHECK (true)")
    op.execute("ALTER TABLE events ATTACH PARTITION events_rest DEFAULT")
    op.execute(FOLLOW)
    op.execute("REVOKE ALL ON FUNCTION tallymark_follow_event FROM PUBLIC")
    op.execute(FOLLOWED)
    op.execute(OPEN)
    op.execute("REVOKE ALL ON FUNCTION tallymark_open_month FROM PUBLIC")
    op.execute(VIEW)
    op.execute(f"GRANT SELECT ON events_by_id TO {TENANT_ROLE}")


def _keep_keys() -> None:
    op.create_table(
        "event_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
    )
    op.execute(
        "INSERT INTO event_keys (id, organization_id, stream_id, timestamp)"
        " SELECT id, organization_id, stream_id, timestamp FROM events"
    )
    op.create_primary_key(op.f("event_keys_pkey"), "event_keys", ["id"])
    for statement in isolate("event_keys", verbs="SELECT, INSERT"):
        op.execute(statement)
    op.execute(f"GRANT INSERT, SELECT (id) ON event_keys TO {INGEST_ROLE}")
    op.execute(f"CREATE POLICY ingest_add ON event_keys FOR INSERT TO {INGEST_ROLE} WITH CHECK (true)")
    op.execute(f"CREATE POLICY ingest_keys ON event_keys FOR SELECT TO {INGEST_ROLE} USING (true)")


def downgrade() -> None:
    op.execute("DROP VIEW events_by_id")
    op.execute("ALTER TABLE events RENAME TO events_by_month")
    op.execute("ALTER TABLE events_by_month DROP CONSTRAINT events_pkey")
    for index in ("occurred", "received"):
        op.execute(f"DROP INDEX events_{index}_idx")
    op.execute(
        "CREATE TABLE events (LIKE events_by_month INCLUDING DEFAULTS, CONSTRAINT events_pkey PRIMARY KEY (id))"
    )
    op.execute("INSERT INTO events SELECT * FROM events_by_month")
    op.create_index("events_stream_idx", "events", ["stream_id", "timestamp"], unique=False)
    for statement in (OCCURRED, RECEIVED, *isolate("events")):
        op.execute(statement)
    op.execute(f"GRANT INSERT, SELECT (id) ON events TO {INGEST_ROLE}")
    op.execute(f"CREATE POLICY ingest_add ON events FOR INSERT TO {INGEST_ROLE} WITH CHECK (true)")
    op.execute(f"CREATE POLICY ingest_keys ON events FOR SELECT TO {INGEST_ROLE} USING (true)")
    op.execute("DROP TABLE events_by_month")
    op.execute("DROP FUNCTION tallymark_open_month")
    op.execute("DROP FUNCTION tallymark_follow_event")
    op.drop_table("event_keys")
