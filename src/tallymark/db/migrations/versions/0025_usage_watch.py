"""Alerts, and whose usage is watched: what an event must be told to follow, known in the statement that stores it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.engine import INGEST_ROLE
from tallymark.db.tenancy import isolate

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

SECURE = "SECURITY DEFINER SET search_path = public, pg_temp"

# The active ones among some subscriptions that an alert, a usage threshold or an active wallet is there for.
WATCH = f"""
CREATE FUNCTION tallymark_watch(ids uuid[]) RETURNS void LANGUAGE plpgsql {SECURE} AS $$
BEGIN
    DELETE FROM watched_subscriptions w
    WHERE w.subscription_id = ANY(ids) AND NOT EXISTS (SELECT FROM watchable WHERE id = w.subscription_id);
    INSERT INTO watched_subscriptions (subscription_id, organization_id, customer_id, external_subscription_id)
    SELECT id, organization_id, customer_id, external_id FROM watchable WHERE id = ANY(ids) ORDER BY id
    ON CONFLICT DO NOTHING;
    INSERT INTO watching_organizations
    SELECT DISTINCT w.organization_id FROM watched_subscriptions w
    WHERE w.subscription_id = ANY(ids)
      AND NOT EXISTS (SELECT FROM watching_organizations o WHERE o.organization_id = w.organization_id)
    ON CONFLICT DO NOTHING;
END $$
"""
WATCHABLE = """
CREATE VIEW watchable AS
SELECT s.id, s.organization_id, s.customer_id, s.external_id
FROM subscriptions s
WHERE s.status = 'active' AND (
    EXISTS (SELECT FROM wallets w WHERE w.customer_id = s.customer_id AND w.status = 'active')
    OR EXISTS (
        SELECT FROM alerts a
        WHERE a.organization_id = s.organization_id AND a.external_subscription_id = s.external_id
          AND a.deleted_at IS NULL)
    OR EXISTS (SELECT FROM usage_thresholds t WHERE t.subscription_id = s.id)
    OR EXISTS (
        SELECT FROM usage_thresholds t JOIN plans p ON t.plan_id IN (p.id, p.parent_id) WHERE p.id = s.plan_id)
)
"""
OF_SUBSCRIPTION = f"""
CREATE FUNCTION tallymark_watch_subscription() RETURNS trigger LANGUAGE plpgsql {SECURE} AS $$
BEGIN
    PERFORM tallymark_watch(ARRAY[NEW.id]);
    RETURN NULL;
END $$
"""
OF_WALLET = f"""
CREATE FUNCTION tallymark_watch_wallet() RETURNS trigger LANGUAGE plpgsql {SECURE} AS $$
BEGIN
    PERFORM tallymark_watch(ARRAY(
        SELECT id FROM subscriptions WHERE customer_id = NEW.customer_id AND status = 'active'));
    RETURN NULL;
END $$
"""
OF_ALERT = f"""
CREATE FUNCTION tallymark_watch_alert() RETURNS trigger LANGUAGE plpgsql {SECURE} AS $$
BEGIN
    PERFORM tallymark_watch(ARRAY(
        SELECT id FROM subscriptions
        WHERE organization_id = NEW.organization_id AND external_id = NEW.external_subscription_id
          AND status = 'active'));
    RETURN NULL;
END $$
"""
# Whoever subscribes to a plan at the same time holds it as a foreign key: one of both sees the other.
OF_THRESHOLD = f"""
CREATE FUNCTION tallymark_watch_threshold() RETURNS trigger LANGUAGE plpgsql {SECURE} AS $$
BEGIN
    PERFORM FROM plans p
    WHERE p.id IN (SELECT plan_id FROM changed) OR p.parent_id IN (SELECT plan_id FROM changed)
    ORDER BY p.id FOR UPDATE;
    PERFORM tallymark_watch(ARRAY(
        SELECT s.id FROM subscriptions s JOIN plans p ON p.id = s.plan_id
        WHERE s.status = 'active' AND (
            s.id IN (SELECT subscription_id FROM changed)
            OR p.id IN (SELECT plan_id FROM changed) OR p.parent_id IN (SELECT plan_id FROM changed))));
    RETURN NULL;
END $$
"""
WATCHING = f"""
CREATE FUNCTION tallymark_watching_organizations() RETURNS TABLE (organization_id uuid)
LANGUAGE sql STABLE {SECURE} AS $$
    SELECT o.organization_id FROM watching_organizations o
$$
"""
_CHANGED = "IS DISTINCT FROM"
_OLD, _NEW = "REFERENCING OLD TABLE AS changed", "REFERENCING NEW TABLE AS changed"
TRIGGERS = (
    ("subscription", "INSERT ON subscriptions", "FOR EACH ROW WHEN (NEW.status = 'active')"),
    (
        "subscription",
        "UPDATE ON subscriptions",
        f"FOR EACH ROW WHEN ((OLD.status, OLD.plan_id) {_CHANGED} (NEW.status, NEW.plan_id))",
    ),
    ("wallet", "INSERT ON wallets", "FOR EACH ROW"),
    ("wallet", "UPDATE ON wallets", f"FOR EACH ROW WHEN (OLD.status {_CHANGED} NEW.status)"),
    ("alert", "INSERT ON alerts", "FOR EACH ROW WHEN (NEW.wallet_id IS NULL)"),
    (
        "alert",
        "UPDATE ON alerts",
        f"FOR EACH ROW WHEN (NEW.wallet_id IS NULL AND OLD.deleted_at {_CHANGED} NEW.deleted_at)",
    ),
    ("threshold", "INSERT ON usage_thresholds", f"{_NEW} FOR EACH STATEMENT"),
    ("threshold", "DELETE ON usage_thresholds", f"{_OLD} FOR EACH STATEMENT"),
)


def upgrade() -> None:
    _create_alerts()
    _create_watch()
    for statement in (WATCHABLE, WATCH, OF_SUBSCRIPTION, OF_WALLET, OF_ALERT, OF_THRESHOLD, WATCHING):
        op.execute(statement)
    for kind, what, when in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER watch_{what.split()[0].lower()} AFTER {what} {when}"
            f" EXECUTE FUNCTION tallymark_watch_{kind}()"
        )
    op.execute(
        "CREATE CONSTRAINT TRIGGER watching_organization_added AFTER INSERT ON watching_organizations"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tallymark_raise_version('advance_codes')"
    )
    op.execute("REVOKE ALL ON FUNCTION tallymark_watch, tallymark_watching_organizations FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION tallymark_watching_organizations TO {INGEST_ROLE}")
    op.execute(f"GRANT SELECT ON watched_subscriptions TO {INGEST_ROLE}")
    op.execute(f"CREATE POLICY ingest_read ON watched_subscriptions FOR SELECT TO {INGEST_ROLE} USING (true)")
    op.execute(f"GRANT INSERT ON usage_marks TO {INGEST_ROLE}")
    op.execute(f"CREATE POLICY ingest_add ON usage_marks FOR INSERT TO {INGEST_ROLE} WITH CHECK (true)")
    op.execute("SELECT tallymark_watch(ARRAY(SELECT id FROM watchable))")


def _create_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("external_subscription_id", sa.Text(), nullable=True),
        sa.Column("wallet_id", sa.Uuid(), nullable=True),
        sa.Column("billable_metric_id", sa.Uuid(), nullable=True),
        sa.Column("alert_type", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("thresholds", postgresql.JSONB(), nullable=False),
        sa.Column("previous_value", sa.Numeric(precision=60, scale=15), nullable=False),
        sa.Column("last_processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(external_subscription_id IS NULL) <> (wallet_id IS NULL)", name=op.f("alerts_subject_check")
        ),
        sa.ForeignKeyConstraint(
            ["billable_metric_id"], ["billable_metrics.id"], name=op.f("alerts_billable_metric_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("alerts_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallets.id"], name=op.f("alerts_wallet_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("alerts_pkey")),
    )
    op.create_index(op.f("alerts_billable_metric_id_idx"), "alerts", ["billable_metric_id"])
    live = sa.text("deleted_at IS NULL")
    subject = ["organization_id", "external_subscription_id", "wallet_id"]
    for name, columns in (("code", ["code"]), ("type", ["alert_type", "billable_metric_id"])):
        op.create_index(
            f"alerts_{name}_key",
            "alerts",
            [*subject, *columns],
            unique=True,
            postgresql_where=live,
            postgresql_nulls_not_distinct=True,
        )
    op.create_index("alerts_wallet_idx", "alerts", ["wallet_id"], postgresql_where=live)
    for statement in isolate("alerts"):
        op.execute(statement)


def _create_watch() -> None:
    op.create_table(
        "watching_organizations",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("watching_organizations_organization_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("watching_organizations_pkey")),
    )
    op.create_table(
        "watched_subscriptions",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("external_subscription_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("watched_subscriptions_customer_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("watched_subscriptions_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("watched_subscriptions_subscription_id_fkey")
        ),
        sa.PrimaryKeyConstraint("subscription_id", name=op.f("watched_subscriptions_pkey")),
        sa.UniqueConstraint(
            "organization_id",
            "external_subscription_id",
            name=op.f("watched_subscriptions_organization_id_external_subscription_id_key"),
        ),
    )
    op.create_index(op.f("watched_subscriptions_customer_id_idx"), "watched_subscriptions", ["customer_id"])
    op.create_table(
        "usage_marks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("usage_marks_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("usage_marks_pkey")),
    )
    op.create_index("usage_marks_customer_idx", "usage_marks", ["customer_id"])
    for table in ("watching_organizations", "watched_subscriptions", "usage_marks"):
        for statement in isolate(table):
            op.execute(statement)
