"""Tables of payment requests, of payments and of their receipts."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import (
    cents,
    id_column,
    implied,
    instant,
    metadata,
    organization_column,
    reference,
    string,
    timestamps,
)

# Overdue invoices of a customer that are asked for together: one currency, one issuer.
payment_requests = Table(
    "payment_requests",
    metadata,
    id_column(),
    organization_column(),
    reference("customer_id", "customers", index=True),
    reference("billing_entity_id", "billing_entities"),
    # The campaign that asked; nobody's but a person's or a key's without one.
    reference("dunning_campaign_id", "dunning_campaigns", nullable=True),
    string("email"),
    # By what it is to be collected, where whoever asked said so.
    string("payment_method_type"),
    implied("payment_method_id", nullable=True),
    string("payment_status", nullable=False, default="pending"),
    cents("amount_cents"),
    string("currency", nullable=False),
    *timestamps(),
    Index("payment_requests_newest_idx", "organization_id", text("created_at DESC"), "id"),
    CheckConstraint("payment_status IN ('pending', 'succeeded', 'failed')", name="payment_status"),
)

# What was due of each invoice when it was asked for, and what the request's own payment has paid of it.
payment_requests_invoices = Table(
    "payment_requests_invoices",
    metadata,
    organization_column(),
    Column("payment_request_id", Uuid, ForeignKey("payment_requests.id"), primary_key=True),
    Column("invoice_id", Uuid, ForeignKey("invoices.id"), primary_key=True, index=True),
    Column("position", Integer, nullable=False, server_default=text("0")),
    cents("amount_cents"),
    cents("paid_amount_cents"),
)

# Money for an invoice, or for those of a payment request; `status` is the provider's word, `payment_status` ours. `created_at` is when it was paid.
payments = Table(
    "payments",
    metadata,
    id_column(),
    organization_column(),
    reference("customer_id", "customers", index=True),
    reference("invoice_id", "invoices", nullable=True, index=True),
    reference("payment_request_id", "payment_requests", nullable=True, index=True),
    string("payable_type", nullable=False),
    string("payment_type", nullable=False),
    string("status", nullable=False),
    string("payment_status", nullable=False),
    cents("amount_cents"),
    string("currency", nullable=False),
    string("reference"),
    # Of a provider: who is asked, by which of the customer's methods, and under what name the provider knows it.
    string("payment_provider"),
    string("payment_provider_code"),
    string("provider_customer_id"),
    string("provider_payment_id"),
    implied("payment_provider_id", nullable=True),
    # Why it was refused, and what the customer has to do, in the provider's words.
    string("error_code"),
    string("error_message"),
    Column("next_action", JSONB(none_as_null=True)),
    # When its provider was first asked: its amount stays from then on.
    instant("asked_at"),
    # What came in beyond what was due by then, and when it went back; it is no part of the amount.
    cents("surplus_cents"),
    instant("surplus_returned_at"),
    reference("payment_method_id", "payment_methods", nullable=True),
    *timestamps(),
    # At most one that waits for its provider for each payable (wallets-and-payments §10).
    Index(
        "payments_pending_key",
        "invoice_id",
        unique=True,
        postgresql_where=text("payment_status IN ('pending', 'processing')"),
    ),
    Index(
        "payments_pending_request_key",
        "payment_request_id",
        unique=True,
        postgresql_where=text("payment_status IN ('pending', 'processing')"),
    ),
    Index(
        "payments_provider_key",
        "organization_id",
        "payment_provider",
        "provider_payment_id",
        unique=True,
        postgresql_where=text("provider_payment_id IS NOT NULL"),
    ),
    Index("payments_newest_idx", "organization_id", text("created_at DESC"), "id"),
    CheckConstraint("amount_cents > 0", name="amount"),
    CheckConstraint("num_nonnulls(invoice_id, payment_request_id) = 1", name="payable"),
)

payment_receipts = Table(
    "payment_receipts",
    metadata,
    id_column(),
    organization_column(),
    reference("customer_id", "customers"),
    reference("payment_id", "payments"),
    Column("sequential_id", BigInteger, nullable=False),
    string("number", nullable=False),
    string("file_key"),
    string("xml_key"),
    instant("created_at", nullable=False),
    UniqueConstraint("payment_id"),
    UniqueConstraint("customer_id", "sequential_id"),
    Index("payment_receipts_newest_idx", "organization_id", text("created_at DESC"), "id"),
)
