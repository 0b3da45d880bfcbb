"""Tables of payment providers: connections, pages on which customers pay, events that came in, and what was paid back."""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Table, Text, text
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

# An organization's accounts at providers (wallets-and-payments §12.1).
payment_providers = Table(
    "payment_providers",
    metadata,
    id_column(),
    organization_column(),
    string("kind", nullable=False),
    string("code", nullable=False),
    string("name", nullable=False),
    string("success_redirect_url"),
    Column("options", JSONB, nullable=False, server_default=text("'{}'")),
    # Encrypted, as one JSON object.
    Column("secrets", LargeBinary, nullable=False),
    *timestamps(),
    instant("deleted_at"),
    Index(
        "payment_providers_code_key",
        "organization_id",
        "code",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
    CheckConstraint(
        "kind IN ('stripe', 'gocardless', 'cashfree', 'adyen', 'flutterwave', 'moneyhash')", name="kind"
    ),
)

# Pages on which an invoice, or what a payment request asks for, is paid once (§11.4).
payment_links = Table(
    "payment_links",
    metadata,
    id_column(),
    organization_column(),
    reference("invoice_id", "invoices", nullable=True),
    reference("payment_request_id", "payment_requests", nullable=True),
    reference("payment_provider_id", "payment_providers"),
    string("url", nullable=False),
    string("provider_link_id"),
    cents("amount_cents"),
    instant("expires_at", nullable=False),
    # When it was taken back, or found to be over.
    instant("closed_at"),
    *timestamps(),
    Index("payment_links_invoice_key", "invoice_id", unique=True, postgresql_where=text("closed_at IS NULL")),
    Index(
        "payment_links_request_key",
        "payment_request_id",
        unique=True,
        postgresql_where=text("closed_at IS NULL"),
    ),
    CheckConstraint("num_nonnulls(invoice_id, payment_request_id) = 1", name="payable"),
)

# What providers have sent, verified, until it is understood and for a while after (§12.1).
provider_events = Table(
    "provider_events",
    metadata,
    id_column(),
    organization_column(),
    reference("payment_provider_id", "payment_providers"),
    # Twice the same body is one event.
    Column("digest", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    string("status", nullable=False, default="pending"),
    Column("error", Text),
    instant("created_at", nullable=False),
    instant("processed_at"),
    Index("provider_events_digest_key", "payment_provider_id", "digest", unique=True),
    Index("provider_events_end_idx", "processed_at", postgresql_where=text("processed_at IS NOT NULL")),
    CheckConstraint("status IN ('pending', 'succeeded', 'failed')", name="status"),
)

# Money of a payment that a provider was asked to pay back for a credit note (§14).
refunds = Table(
    "refunds",
    metadata,
    id_column(),
    organization_column(),
    reference("credit_note_id", "credit_notes"),
    reference("payment_id", "payments", index=True),
    implied("payment_provider_id"),
    cents("amount_cents"),
    string("currency", nullable=False),
    # The provider's word, and ours.
    string("status", nullable=False),
    string("refund_status", nullable=False),
    string("provider_refund_id"),
    string("error_code"),
    string("error_message"),
    *timestamps(),
    Index("refunds_credit_note_key", "credit_note_id", unique=True),
    Index(
        "refunds_provider_key",
        "payment_provider_id",
        "provider_refund_id",
        unique=True,
        postgresql_where=text("provider_refund_id IS NOT NULL"),
    ),
    CheckConstraint("amount_cents > 0", name="amount"),
    CheckConstraint("refund_status IN ('pending', 'succeeded', 'failed')", name="status"),
)
