"""Views of what is earned, billed, owed and used, for roles that read them and nothing else."""

from pathlib import Path

from alembic import op

from tallymark.db.tenancy import isolate

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None

FOLDER = Path(__file__).parents[1] / "analytics"
FILES = (
    "_first",
    "organizations",
    "billing_entities",
    "customers",
    "plans",
    "billable_metrics",
    "subscriptions",
    "invoices",
    "fees",
    "payments",
    "credit_notes",
    "wallets",
    "wallet_transactions",
    "daily_usage",
    "usage_by_month",
    "gross_revenue_by_month",
    "invoice_collection_by_month",
    "invoiced_usage_by_month",
    "overdue_balance_by_month",
    "payment_times_by_month",
    "mrr_by_month",
    "revenue_streams_by_month",
    "_running",
    "customer_mrr",
    "mrr_movements_by_month",
    "churn_by_month",
    "mrr_by_plan",
    "prepaid_credits_by_month",
)


def upgrade() -> None:
    cursor = op.get_bind().connection.cursor()
    for name in FILES:
        # Without parameters: signs are what they are, and a script may have several statements.
        cursor.execute((FOLDER / f"{name}.sql").read_text())
    for statement in isolate("analytics_readers", verbs="SELECT"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP SCHEMA analytics CASCADE")
    op.execute("DROP VIEW analytics_running, analytics_scope")
    op.drop_table("analytics_readers")
