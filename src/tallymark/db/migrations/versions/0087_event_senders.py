"""Which address and client sent each event (docs/decisions/0046)."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.engine import INGEST_ROLE, TENANT_ROLE
from tallymark.db.tenancy import isolate

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None

# Releases before this one neither read nor write what is new.
needs = None

# Also what was put out of the way for an archive that is not done.
LEAVING = """
DO $$ DECLARE leaving regclass; BEGIN
    FOR leaving IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relname ~ '^leaving_events_[0-9a-f]{32}$' LOOP
        EXECUTE format('ALTER TABLE %s ADD COLUMN sender_id bigint', leaving);
    END LOOP;
END $$
"""
VIEW = """
CREATE OR REPLACE VIEW events_by_id WITH (security_invoker = true) AS
SELECT k.id, e.stream_id, e.timestamp, e.created_at, e.organization_id, e.transaction_id, e.properties,
       e.precise_total_amount_cents, e.occurred_at{more}
FROM event_keys k JOIN events e ON e.stream_id = k.stream_id AND e.timestamp = k.timestamp AND e.id = k.id
"""


def upgrade() -> None:
    op.create_table(
        "event_senders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("ip_address", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("event_senders_pkey")),
        sa.UniqueConstraint(
            "organization_id",
            "month",
            "ip_address",
            "client",
            name=op.f("event_senders_organization_id_month_ip_address_client_key"),
        ),
    )
    for statement in isolate("event_senders", verbs="SELECT, INSERT"):
        op.execute(statement)
    op.execute(f"GRANT INSERT, SELECT ON event_senders TO {INGEST_ROLE}")
    op.execute(f"CREATE POLICY ingest_add ON event_senders FOR INSERT TO {INGEST_ROLE} WITH CHECK (true)")
    op.execute(f"CREATE POLICY ingest_keys ON event_senders FOR SELECT TO {INGEST_ROLE} USING (true)")
    op.add_column("backfilled_events", sa.Column("sender_id", sa.BigInteger(), nullable=True))
    op.execute(LEAVING)
    op.add_column("events", sa.Column("sender_id", sa.BigInteger(), nullable=True))
    op.execute(VIEW.format(more=", e.sender_id"))


def downgrade() -> None:
    op.execute("DROP VIEW events_by_id")
    op.execute(VIEW.format(more=""))
    op.execute(f"GRANT SELECT ON events_by_id TO {TENANT_ROLE}")
    op.drop_column("events", "sender_id")
    op.execute(LEAVING.replace("ADD COLUMN sender_id bigint", "DROP COLUMN sender_id"))
    op.drop_column("backfilled_events", "sender_id")
    op.drop_table("event_senders")
