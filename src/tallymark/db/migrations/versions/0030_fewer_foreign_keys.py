"""No foreign keys that others imply, on tables with many rows for each invoice."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

OF_TENANTS = (
    "invoices", "billing_records", "fees", "fees_applied_taxes", "invoices_applied_taxes", "credit_notes_applied_taxes",
    "journal_entries", "journal_lines", "wallets", "wallet_transactions", "wallet_transaction_consumptions", "outbox", "agenda",
)  # fmt: skip
OF_FEES = (("customer_id", "customers"), ("billable_metric_id", "billable_metrics"), ("plan_id", "plans"))


def upgrade() -> None:
    for table in OF_TENANTS:
        op.drop_constraint(f"{table}_organization_id_fkey", table)
    for column, _ in OF_FEES:
        op.drop_constraint(f"fees_{column}_fkey", "fees")


def downgrade() -> None:
    for table in OF_TENANTS:
        op.create_foreign_key(
            f"{table}_organization_id_fkey", table, "organizations", ["organization_id"], ["id"]
        )
    for column, target in OF_FEES:
        op.create_foreign_key(f"fees_{column}_fkey", "fees", target, [column], ["id"])
