"""How subscriptions are paid, invoices made anew, and a quick way to invoices by purchase order."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ONCE = {
    "billing_records_day_key": (["subscription_id", "billing_day"], "is_recurring"),
    "billing_records_charges_period_key": (
        ["subscription_id", "charges_from_at", "charges_to_at"],
        "is_recurring",
    ),
    "billing_records_start_key": (["subscription_id"], "invoicing_reason = 'subscription_starting'"),
    "billing_records_termination_key": (["subscription_id"], "invoicing_reason = 'subscription_terminating'"),
}
"""What a subscription is billed for once; what is billed in place of a void invoice counts for both."""


def upgrade() -> None:
    op.add_column(
        "subscriptions",
        sa.Column("payment_method_type", sa.Text(), nullable=False, server_default="provider"),
    )
    op.create_index(
        "invoices_order_number_idx",
        "invoices",
        ["organization_id", sa.text("lower(purchase_order_number)")],
        postgresql_where=sa.text("purchase_order_number IS NOT NULL"),
    )
    for table, column, target in (
        ("invoices", "voided_invoice_id", "invoices"),
        ("fees", "original_fee_id", "fees"),
        ("billing_records", "regenerated_invoice_id", "invoices"),
    ):
        op.add_column(table, sa.Column(column, sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f(f"{table}_{column}_fkey"), table, target, [column], ["id"])
    op.create_index(
        "invoices_regenerated_key",
        "invoices",
        ["voided_invoice_id"],
        unique=True,
        postgresql_where=sa.text("voided_invoice_id IS NOT NULL"),
    )
    _replace_indexes(" AND regenerated_invoice_id IS NULL")
    _replace_event_key(" AND original_fee_id IS NULL")


def downgrade() -> None:
    _replace_event_key("")
    _replace_indexes("")
    op.drop_index("invoices_regenerated_key", "invoices")
    op.drop_column("billing_records", "regenerated_invoice_id")
    op.drop_column("fees", "original_fee_id")
    op.drop_column("invoices", "voided_invoice_id")
    op.drop_index("invoices_order_number_idx", "invoices")
    op.drop_column("subscriptions", "payment_method_type")


def _replace_indexes(more: str) -> None:
    for name, (columns, where) in ONCE.items():
        op.drop_index(name, "billing_records")
        op.create_index(name, "billing_records", columns, unique=True, postgresql_where=sa.text(where + more))


def _replace_event_key(more: str) -> None:
    op.drop_index("fees_event_key", "fees")
    where = sa.text("event_id IS NOT NULL" + more)
    op.create_index("fees_event_key", "fees", ["event_id", "charge_id"], unique=True, postgresql_where=where)
