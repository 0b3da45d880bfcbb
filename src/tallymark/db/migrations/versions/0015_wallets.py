"""Wallets: prepaid credits, the rules that fill them, and the ledger of their moves."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.tenancy import isolate

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ISOLATED = (
    "wallets",
    "recurring_transaction_rules",
    "wallet_targets",
    "wallet_transactions",
    "wallet_transaction_consumptions",
    "wallets_custom_sections",
    "recurring_transaction_rules_custom_sections",
    "wallet_transactions_custom_sections",
)


def upgrade() -> None:
    op.create_table(
        "wallets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("billing_entity_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("priority", sa.Integer(), server_default=sa.text("50"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("rate_amount", sa.Numeric(precision=30, scale=5), nullable=False),
        sa.Column("balance_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "precise_balance_cents",
            sa.Numeric(precision=60, scale=15),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("consumed_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "precise_consumed_amount_cents",
            sa.Numeric(precision=60, scale=15),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("ongoing_balance_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "ongoing_usage_balance_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("depleted_ongoing_balance", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_balance_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_consumed_credit_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_ongoing_balance_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expiration_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("terminated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "invoice_requires_successful_payment",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
        ),
        sa.Column("paid_top_up_min_amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("paid_top_up_max_amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("fee_types", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("purchase_order_number", sa.Text(), nullable=True),
        sa.Column(
            "skip_invoice_custom_sections", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("metadata", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('active', 'terminated')", name=op.f("wallets_status_check")),
        sa.CheckConstraint(
            "balance_cents = round(precise_balance_cents) AND (balance_cents > 0 OR precise_balance_cents = 0)",
            name=op.f("wallets_exact_check"),
        ),
        sa.CheckConstraint(
            "balance_cents >= 0 AND consumed_amount_cents >= 0", name=op.f("wallets_never_negative_check")
        ),
        sa.CheckConstraint(
            "paid_top_up_min_amount_cents > 0 AND paid_top_up_max_amount_cents > 0 AND paid_top_up_max_amount_cents >= paid_top_up_min_amount_cents",
            name=op.f("wallets_limits_check"),
        ),
        sa.CheckConstraint("priority BETWEEN 1 AND 50", name=op.f("wallets_priority_check")),
        sa.CheckConstraint("rate_amount > 0", name=op.f("wallets_rate_check")),
        sa.ForeignKeyConstraint(
            ["billing_entity_id"], ["billing_entities.id"], name=op.f("wallets_billing_entity_id_fkey")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("wallets_customer_id_fkey")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("wallets_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("wallets_pkey")),
    )
    op.create_index(
        "wallets_code_key",
        "wallets",
        ["customer_id", "code"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index(
        "wallets_customer_idx", "wallets", ["customer_id", "priority", "created_at"], unique=False
    )
    op.create_index(
        "wallets_newest_idx",
        "wallets",
        ["organization_id", sa.literal_column("created_at DESC"), "id"],
        unique=False,
    )
    op.create_table(
        "recurring_transaction_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("wallet_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=True),
        sa.Column("threshold_credits", sa.Numeric(precision=30, scale=5), nullable=True),
        sa.Column("target_ongoing_balance", sa.Numeric(precision=30, scale=5), nullable=True),
        sa.Column(
            "paid_credits", sa.Numeric(precision=30, scale=5), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "granted_credits", sa.Numeric(precision=30, scale=5), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("grants_target_top_up", sa.Boolean(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expiration_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("terminated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ignore_paid_top_up_limits", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "invoice_requires_successful_payment",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
        ),
        sa.Column("transaction_name", sa.Text(), nullable=True),
        sa.Column(
            "transaction_metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("purchase_order_number", sa.Text(), nullable=True),
        sa.Column(
            "skip_invoice_custom_sections", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('active', 'terminated')", name=op.f("recurring_transaction_rules_status_check")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("recurring_transaction_rules_organization_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["wallets.id"], name=op.f("recurring_transaction_rules_wallet_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("recurring_transaction_rules_pkey")),
    )
    op.create_index(
        "recurring_transaction_rules_active_key",
        "recurring_transaction_rules",
        ["wallet_id"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index(
        op.f("recurring_transaction_rules_wallet_id_idx"),
        "recurring_transaction_rules",
        ["wallet_id"],
        unique=False,
    )
    op.create_table(
        "wallet_targets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("wallet_id", sa.Uuid(), nullable=False),
        sa.Column("billable_metric_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["billable_metric_id"],
            ["billable_metrics.id"],
            name=op.f("wallet_targets_billable_metric_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("wallet_targets_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallets.id"], name=op.f("wallet_targets_wallet_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("wallet_targets_pkey")),
        sa.UniqueConstraint(
            "wallet_id", "billable_metric_id", name=op.f("wallet_targets_wallet_id_billable_metric_id_key")
        ),
    )
    op.create_index(
        op.f("wallet_targets_billable_metric_id_idx"), "wallet_targets", ["billable_metric_id"], unique=False
    )
    op.create_table(
        "wallets_custom_sections",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("section_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("wallets_custom_sections_organization_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["wallets.id"], name=op.f("wallets_custom_sections_owner_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["section_id"],
            ["invoice_custom_sections.id"],
            name=op.f("wallets_custom_sections_section_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("owner_id", "section_id", name=op.f("wallets_custom_sections_pkey")),
    )
    op.create_index(
        op.f("wallets_custom_sections_section_id_idx"),
        "wallets_custom_sections",
        ["section_id"],
        unique=False,
    )
    op.create_table(
        "recurring_transaction_rules_custom_sections",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("section_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("recurring_transaction_rules_custom_sections_organization_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["recurring_transaction_rules.id"],
            name=op.f("recurring_transaction_rules_custom_sections_owner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["section_id"],
            ["invoice_custom_sections.id"],
            name=op.f("recurring_transaction_rules_custom_sections_section_id_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "owner_id", "section_id", name=op.f("recurring_transaction_rules_custom_sections_pkey")
        ),
    )
    op.create_index(
        op.f("recurring_transaction_rules_custom_sections_section_id_idx"),
        "recurring_transaction_rules_custom_sections",
        ["section_id"],
        unique=False,
    )
    op.create_table(
        "wallet_transactions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("wallet_id", sa.Uuid(), nullable=False),
        sa.Column("billing_entity_id", sa.Uuid(), nullable=True),
        sa.Column("transaction_type", sa.Text(), nullable=False),
        sa.Column("transaction_status", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), server_default="manual", nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "precise_amount_cents",
            sa.Numeric(precision=60, scale=15),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("remaining_amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("priority", sa.Integer(), server_default=sa.text("50"), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column(
            "invoice_requires_successful_payment",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
        ),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("credit_note_id", sa.Uuid(), nullable=True),
        sa.Column("voided_invoice_id", sa.Uuid(), nullable=True),
        sa.Column("purchase_order_number", sa.Text(), nullable=True),
        sa.Column(
            "skip_invoice_custom_sections", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("interval_day", sa.Date(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(transaction_type = 'inbound' AND transaction_status IN ('purchased', 'granted')) OR (transaction_type = 'outbound' AND transaction_status IN ('voided', 'invoiced'))",
            name=op.f("wallet_transactions_kind_check"),
        ),
        sa.CheckConstraint(
            "remaining_amount_cents IS NULL OR (transaction_type = 'inbound' AND status = 'settled')",
            name=op.f("wallet_transactions_remaining_of_check"),
        ),
        sa.CheckConstraint(
            "status = 'settled' OR (status IN ('pending', 'failed') AND transaction_status = 'purchased')",
            name=op.f("wallet_transactions_status_check"),
        ),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("wallet_transactions_amount_check")),
        sa.CheckConstraint("priority BETWEEN 1 AND 50", name=op.f("wallet_transactions_priority_check")),
        sa.CheckConstraint(
            "remaining_amount_cents BETWEEN 0 AND amount_cents",
            name=op.f("wallet_transactions_remaining_check"),
        ),
        sa.ForeignKeyConstraint(
            ["billing_entity_id"],
            ["billing_entities.id"],
            name=op.f("wallet_transactions_billing_entity_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["credit_note_id"], ["credit_notes.id"], name=op.f("wallet_transactions_credit_note_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("wallet_transactions_invoice_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("wallet_transactions_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["voided_invoice_id"], ["invoices.id"], name=op.f("wallet_transactions_voided_invoice_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["wallets.id"], name=op.f("wallet_transactions_wallet_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("wallet_transactions_pkey")),
    )
    op.create_index(
        op.f("wallet_transactions_credit_note_id_idx"),
        "wallet_transactions",
        ["credit_note_id"],
        unique=False,
    )
    op.create_index(
        "wallet_transactions_interval_key",
        "wallet_transactions",
        ["wallet_id", "interval_day", "transaction_status"],
        unique=True,
        postgresql_where=sa.text("interval_day IS NOT NULL"),
    )
    op.create_index(
        op.f("wallet_transactions_invoice_id_idx"), "wallet_transactions", ["invoice_id"], unique=False
    )
    op.create_index(
        "wallet_transactions_invoiced_key",
        "wallet_transactions",
        ["wallet_id", "invoice_id"],
        unique=True,
        postgresql_where=sa.text("transaction_status = 'invoiced'"),
    )
    op.create_index(
        "wallet_transactions_newest_idx",
        "wallet_transactions",
        ["wallet_id", sa.literal_column("created_at DESC"), "id"],
        unique=False,
    )
    op.create_index(
        "wallet_transactions_remaining_idx",
        "wallet_transactions",
        ["wallet_id", "priority", "created_at"],
        unique=False,
        postgresql_where=sa.text("remaining_amount_cents > 0"),
    )
    op.create_index(
        op.f("wallet_transactions_voided_invoice_id_idx"),
        "wallet_transactions",
        ["voided_invoice_id"],
        unique=False,
    )
    op.create_table(
        "wallet_transaction_consumptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("inbound_transaction_id", sa.Uuid(), nullable=False),
        sa.Column("outbound_transaction_id", sa.Uuid(), nullable=False),
        sa.Column("consumed_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "consumed_amount_cents > 0", name=op.f("wallet_transaction_consumptions_consumed_check")
        ),
        sa.ForeignKeyConstraint(
            ["inbound_transaction_id"],
            ["wallet_transactions.id"],
            name=op.f("wallet_transaction_consumptions_inbound_transaction_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("wallet_transaction_consumptions_organization_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["outbound_transaction_id"],
            ["wallet_transactions.id"],
            name=op.f("wallet_transaction_consumptions_outbound_transaction_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("wallet_transaction_consumptions_pkey")),
        sa.UniqueConstraint(
            "inbound_transaction_id",
            "outbound_transaction_id",
            name=op.f("wallet_transaction_consumptions_inbound_transaction_id_outbound_transaction_id_key"),
        ),
    )
    op.create_index(
        op.f("wallet_transaction_consumptions_outbound_transaction_id_idx"),
        "wallet_transaction_consumptions",
        ["outbound_transaction_id"],
        unique=False,
    )
    op.create_table(
        "wallet_transactions_custom_sections",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("section_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("wallet_transactions_custom_sections_organization_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["wallet_transactions.id"],
            name=op.f("wallet_transactions_custom_sections_owner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["section_id"],
            ["invoice_custom_sections.id"],
            name=op.f("wallet_transactions_custom_sections_section_id_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "owner_id", "section_id", name=op.f("wallet_transactions_custom_sections_pkey")
        ),
    )
    op.create_index(
        op.f("wallet_transactions_custom_sections_section_id_idx"),
        "wallet_transactions_custom_sections",
        ["section_id"],
        unique=False,
    )
    op.add_column("fees", sa.Column("wallet_transaction_id", sa.Uuid(), nullable=True))
    op.create_index(
        "fees_wallet_transaction_key",
        "fees",
        ["wallet_transaction_id"],
        unique=True,
        postgresql_where=sa.text("wallet_transaction_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fees_wallet_transaction_id_fkey"),
        "fees",
        "wallet_transactions",
        ["wallet_transaction_id"],
        ["id"],
    )
    op.add_column(
        "invoices", sa.Column("prepaid_granted_credit_amount_cents", sa.BigInteger(), nullable=True)
    )
    op.add_column(
        "invoices", sa.Column("prepaid_purchased_credit_amount_cents", sa.BigInteger(), nullable=True)
    )
    op.add_column(
        "organizations", sa.Column("max_wallets", sa.Integer(), server_default=sa.text("6"), nullable=False)
    )
    op.create_check_constraint(
        op.f("invoices_prepaid_check"),
        "invoices",
        "COALESCE(prepaid_granted_credit_amount_cents, 0) + COALESCE(prepaid_purchased_credit_amount_cents, 0)"
        " IN (0, prepaid_credit_amount_cents)",
    )
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
