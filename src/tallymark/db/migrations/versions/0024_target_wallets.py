"""Events that name the wallet to be paid from are looked at as they come in; how wallets' purchases are paid."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

CODES = """
CREATE OR REPLACE FUNCTION tallymark_advance_codes()
RETURNS TABLE (version bigint, organization_id uuid, code text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT v.value, found.organization_id, found.code
    FROM versions v LEFT JOIN (
        SELECT DISTINCT c.organization_id, m.code
        FROM charges c JOIN billable_metrics m ON m.id = c.billable_metric_id
        WHERE (c.pay_in_advance OR c.accepts_target_wallet) AND c.deleted_at IS NULL AND m.deleted_at IS NULL
    ) found ON true
    WHERE v.name = 'advance_codes'
$$
"""
ADDED = "NEW.accepts_target_wallet AND NOT NEW.pay_in_advance"
CHANGED = (
    "(OLD.accepts_target_wallet OR NEW.accepts_target_wallet)"
    " AND (OLD.accepts_target_wallet, OLD.deleted_at, OLD.billable_metric_id)"
    " IS DISTINCT FROM (NEW.accepts_target_wallet, NEW.deleted_at, NEW.billable_metric_id)"
)
TRIGGERS = (
    ("target_wallets_added", "INSERT", ADDED),
    ("target_wallets_changed", "UPDATE", CHANGED),
)


PAYING = ("wallets", "recurring_transaction_rules", "wallet_transactions")


def upgrade() -> None:
    for table in PAYING:
        op.add_column(
            table, sa.Column("payment_method_type", sa.Text(), server_default="provider", nullable=False)
        )
    op.execute(CODES)
    for name, what, condition in TRIGGERS:
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {name} AFTER {what} ON charges DEFERRABLE INITIALLY DEFERRED"
            f" FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION tallymark_raise_version('advance_codes')"
        )
    op.execute("UPDATE versions SET value = value + 1 WHERE name = 'advance_codes'")
