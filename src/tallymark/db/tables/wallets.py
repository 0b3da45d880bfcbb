"""Tables of prepaid credits: wallets, what they are for, the rules that fill them, and the ledger of their moves."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import (
    cents,
    flag,
    id_column,
    implied,
    instant,
    metadata,
    organization_column,
    precise,
    reference,
    string,
    tenant_column,
    timestamps,
)


def credits(name: str) -> Column[Any]:
    """A number of credits as it was asked for."""
    return Column(name, Numeric(30, 5), nullable=False, server_default=text("0"))


def payment_method() -> tuple[Column[Any], Column[Any]]:
    """How purchases are to be paid: by a provider, and by which of the customer's methods where that is said; or by hand."""
    return (
        string("payment_method_type", nullable=False, default="provider"),
        implied("payment_method_id", nullable=True),
    )


def priority() -> tuple[Column[Any], CheckConstraint]:
    return (
        Column("priority", Integer, nullable=False, server_default=text("50")),
        CheckConstraint("priority BETWEEN 1 AND 50", name="priority"),
    )


wallets = Table(
    "wallets",
    metadata,
    id_column(),
    tenant_column(),
    reference("customer_id", "customers"),
    reference("billing_entity_id", "billing_entities", nullable=True),
    string("status", nullable=False),
    string("code", nullable=False),
    string("name"),
    *priority(),
    string("currency", nullable=False),
    # Currency units that one credit is worth.
    Column("rate_amount", Numeric(30, 5), nullable=False),
    # Whole minor units are what is spent; the precise ones are what credits are worth exactly: a void names credits, and
    # may leave a part of a minor unit. Credits are the precise ones divided by the rate.
    cents("balance_cents"),
    precise("precise_balance_cents"),
    cents("consumed_amount_cents"),
    precise("precise_consumed_amount_cents"),
    cents("ongoing_balance_cents"),
    cents("ongoing_usage_balance_cents"),
    flag("depleted_ongoing_balance"),
    instant("last_balance_sync_at"),
    instant("last_consumed_credit_at"),
    instant("last_ongoing_balance_sync_at"),
    instant("expiration_at"),
    instant("terminated_at"),
    flag("invoice_requires_successful_payment"),
    cents("paid_top_up_min_amount_cents", nullable=True),
    cents("paid_top_up_max_amount_cents", nullable=True),
    # The fee types that it pays; with no targets either it pays all.
    Column("fee_types", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    string("purchase_order_number"),
    flag("skip_invoice_custom_sections"),
    *payment_method(),
    Column("metadata", JSONB(none_as_null=True)),
    *timestamps(),
    Index("wallets_code_key", "customer_id", "code", unique=True, postgresql_where=text("status = 'active'")),
    Index("wallets_customer_idx", "customer_id", "priority", "created_at"),
    Index("wallets_newest_idx", "organization_id", text("created_at DESC"), "id"),
    CheckConstraint("status IN ('active', 'terminated')", name="status"),
    CheckConstraint("rate_amount > 0", name="rate"),
    CheckConstraint("balance_cents >= 0 AND consumed_amount_cents >= 0", name="never_negative"),
    # Credits and cents never drift apart (wallets §3).
    CheckConstraint(
        "balance_cents = round(precise_balance_cents) AND (balance_cents > 0 OR precise_balance_cents = 0)",
        name="exact",
    ),
    CheckConstraint(
        "paid_top_up_min_amount_cents > 0 AND paid_top_up_max_amount_cents > 0"
        " AND paid_top_up_max_amount_cents >= paid_top_up_min_amount_cents",
        name="limits",
    ),
)

# The metrics whose usage a wallet pays, as an alternative to its fee types.
wallet_targets = Table(
    "wallet_targets",
    metadata,
    id_column(),
    organization_column(),
    reference("wallet_id", "wallets"),
    reference("billable_metric_id", "billable_metrics", index=True),
    UniqueConstraint("wallet_id", "billable_metric_id"),
)

recurring_transaction_rules = Table(
    "recurring_transaction_rules",
    metadata,
    id_column(),
    organization_column(),
    reference("wallet_id", "wallets", index=True),
    string("status", nullable=False),
    string("trigger", nullable=False),
    string("method", nullable=False),
    string("interval"),
    Column("threshold_credits", Numeric(30, 5)),
    Column("target_ongoing_balance", Numeric(30, 5)),
    credits("paid_credits"),
    credits("granted_credits"),
    # None for fixed rules.
    Column("grants_target_top_up", Boolean),
    instant("started_at"),
    instant("expiration_at"),
    instant("terminated_at"),
    flag("ignore_paid_top_up_limits"),
    flag("invoice_requires_successful_payment"),
    string("transaction_name"),
    Column("transaction_metadata", JSONB, nullable=False, server_default=text("'[]'")),
    string("purchase_order_number"),
    flag("skip_invoice_custom_sections"),
    *payment_method(),
    *timestamps(),
    # At most one at a time (wallets §0).
    Index(
        "recurring_transaction_rules_active_key",
        "wallet_id",
        unique=True,
        postgresql_where=text("status = 'active'"),
    ),
    CheckConstraint("status IN ('active', 'terminated')", name="status"),
)

wallet_transactions = Table(
    "wallet_transactions",
    metadata,
    id_column(),
    tenant_column(),
    reference("wallet_id", "wallets"),
    reference("billing_entity_id", "billing_entities", nullable=True),
    string("transaction_type", nullable=False),
    string("transaction_status", nullable=False),
    string("status", nullable=False),
    string("source", nullable=False, default="manual"),
    cents("amount_cents"),
    # What its credits are worth exactly; differs from the cents only where a void named the credits.
    precise("precise_amount_cents"),
    # Of inbound ones once they are settled: what is left to be consumed.
    cents("remaining_amount_cents", nullable=True),
    *priority(),
    string("name"),
    Column("metadata", JSONB, nullable=False, server_default=text("'[]'")),
    flag("invoice_requires_successful_payment"),
    reference("invoice_id", "invoices", nullable=True, index=True),
    reference("credit_note_id", "credit_notes", nullable=True, index=True),
    reference("voided_invoice_id", "invoices", nullable=True, index=True),
    string("purchase_order_number"),
    flag("skip_invoice_custom_sections"),
    *payment_method(),
    # The local day that a rule's interval made it for.
    Column("interval_day", Date),
    instant("settled_at"),
    instant("failed_at"),
    *timestamps(),
    Index("wallet_transactions_newest_idx", "wallet_id", text("created_at DESC"), "id"),
    # What is left of a wallet, by the order in which it is consumed (wallets §4.4).
    Index(
        "wallet_transactions_remaining_idx",
        "wallet_id",
        "priority",
        "created_at",
        postgresql_where=text("remaining_amount_cents > 0"),
    ),
    # An invoice draws on a wallet once (wallets §23.5).
    Index(
        "wallet_transactions_invoiced_key",
        "wallet_id",
        "invoice_id",
        unique=True,
        postgresql_where=text("transaction_status = 'invoiced'"),
    ),
    Index(
        "wallet_transactions_interval_key",
        "wallet_id",
        "interval_day",
        "transaction_status",
        unique=True,
        postgresql_where=text("interval_day IS NOT NULL"),
    ),
    CheckConstraint(
        "(transaction_type = 'inbound' AND transaction_status IN ('purchased', 'granted'))"
        " OR (transaction_type = 'outbound' AND transaction_status IN ('voided', 'invoiced'))",
        name="kind",
    ),
    CheckConstraint(
        "status = 'settled' OR (status IN ('pending', 'failed') AND transaction_status = 'purchased')"
        " OR (status = 'failed' AND transaction_status = 'invoiced')",
        name="status",
    ),
    CheckConstraint("amount_cents >= 0", name="amount"),
    CheckConstraint("remaining_amount_cents BETWEEN 0 AND amount_cents", name="remaining"),
    CheckConstraint(
        "remaining_amount_cents IS NULL OR (transaction_type = 'inbound' AND status = 'settled')",
        name="remaining_of",
    ),
)

# Which inbound transaction paid how much of which outbound one.
wallet_transaction_consumptions = Table(
    "wallet_transaction_consumptions",
    metadata,
    id_column(),
    tenant_column(),
    reference("inbound_transaction_id", "wallet_transactions"),
    reference("outbound_transaction_id", "wallet_transactions", index=True),
    cents("consumed_amount_cents"),
    instant("created_at", nullable=False),
    UniqueConstraint("inbound_transaction_id", "outbound_transaction_id"),
    CheckConstraint("consumed_amount_cents > 0", name="consumed"),
)
