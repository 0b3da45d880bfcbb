"""Charges in advance: events to price, priced events, and the versions of what caches keep."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.engine import INGEST_ROLE
from tallymark.db.tenancy import isolate

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ISOLATED = ("events_to_price", "priced_events")

# Raised as the transaction's last act, so that its lock is held for a moment and comes after all others.
RAISE = """
CREATE FUNCTION tallymark_raise_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    here bigint := pg_current_xact_id()::text::bigint;
BEGIN
    UPDATE versions SET value = value + 1, raised_in = here WHERE name = TG_ARGV[0] AND raised_in <> here;
    RETURN NULL;
END $$
"""
ADVANCE_CODES = """
CREATE FUNCTION tallymark_advance_codes() RETURNS TABLE (version bigint, organization_id uuid, code text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT v.value, found.organization_id, found.code
    FROM versions v LEFT JOIN (
        SELECT DISTINCT c.organization_id, m.code
        FROM charges c JOIN billable_metrics m ON m.id = c.billable_metric_id
        WHERE c.pay_in_advance AND c.deleted_at IS NULL AND m.deleted_at IS NULL
    ) found ON true
    WHERE v.name = 'advance_codes'
$$
"""
IS_ANOTHER_CODE = (
    "(OLD.pay_in_advance OR NEW.pay_in_advance)"
    " AND (OLD.pay_in_advance, OLD.deleted_at, OLD.billable_metric_id)"
    " IS DISTINCT FROM (NEW.pay_in_advance, NEW.deleted_at, NEW.billable_metric_id)"
)
TRIGGERS = (
    ("advance_codes_added", "INSERT ON charges", "NEW.pay_in_advance"),
    (
        "advance_codes_changed",
        "UPDATE ON charges",
        IS_ANOTHER_CODE,
    ),
    (
        "advance_codes_renamed",
        "UPDATE ON billable_metrics",
        "(OLD.code, OLD.deleted_at) IS DISTINCT FROM (NEW.code, NEW.deleted_at)",
    ),
)


def upgrade() -> None:
    op.create_table(
        "versions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("raised_in", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("versions_pkey")),
    )
    op.create_table(
        "events_to_price",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("events_to_price_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("events_to_price_pkey")),
    )
    op.create_index("events_to_price_stream_idx", "events_to_price", ["stream_id", "id"], unique=False)
    op.create_table(
        "priced_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("external_subscription_id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("adds", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("current", sa.Numeric(), nullable=False),
        sa.Column("highest", sa.Numeric(), nullable=False),
        sa.Column("highest_prorated", sa.Numeric(), nullable=False),
        sa.Column("events_count", sa.BigInteger(), nullable=False),
        sa.Column("precise_total_amount_cents", sa.Numeric(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("pricing_unit_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["charge_id"], ["charges.id"], name=op.f("priced_events_charge_id_fkey")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("priced_events_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("priced_events_pkey")),
        sa.UniqueConstraint("event_id", "charge_id", name=op.f("priced_events_event_id_charge_id_key")),
    )
    op.create_index(
        "priced_events_scope_idx",
        "priced_events",
        ["charge_id", "external_subscription_id", "scope", "id"],
        unique=False,
    )
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
    _know_codes()


def _know_codes() -> None:
    """Let the intake see which codes are paid in advance, and whether that has changed since it last looked."""
    op.execute("INSERT INTO versions (name, value, raised_in) VALUES ('advance_codes', 1, 0)")
    op.execute(RAISE)
    op.execute(ADVANCE_CODES)
    for name, what, condition in TRIGGERS:
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {name} AFTER {what} DEFERRABLE INITIALLY DEFERRED"
            f" FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION tallymark_raise_version('advance_codes')"
        )
    op.execute("REVOKE ALL ON FUNCTION tallymark_advance_codes FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION tallymark_advance_codes TO {INGEST_ROLE}")
    op.execute(f"GRANT SELECT ON versions TO {INGEST_ROLE}")
    op.execute(f"GRANT INSERT ON events_to_price TO {INGEST_ROLE}")
    op.execute(f"CREATE POLICY ingest_add ON events_to_price FOR INSERT TO {INGEST_ROLE} WITH CHECK (true)")
