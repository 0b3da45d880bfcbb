"""Tables of payments and of their receipts."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Table, UniqueConstraint, text

from tallymark.db.tables.columns import (
    cents,
    id_column,
    instant,
    metadata,
    organization_column,
    reference,
    string,
    timestamps,
)

# Money for invoices; `status` is the provider's word, `payment_status` ours. `created_at` is when it was paid.
payments = Table(
    "payments",
    metadata,
    id_column(),
    organization_column(),
    reference("customer_id", "customers", index=True),
    reference("invoice_id", "invoices", index=True),
    string("payable_type", nullable=False),
    string("payment_type", nullable=False),
    string("status", nullable=False),
    string("payment_status", nullable=False),
    cents("amount_cents"),
    string("currency", nullable=False),
    string("reference"),
    *timestamps(),
    Index("payments_newest_idx", "organization_id", text("created_at DESC"), "id"),
    CheckConstraint("amount_cents > 0", name="amount"),
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
