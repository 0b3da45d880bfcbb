"""Tables of what is billed otherwise than it was computed: fees told by hand, and usage whose events were corrected since."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Numeric, Table, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import (
    id_column,
    instant,
    metadata,
    organization_column,
    reference,
    string,
    tenant_column,
    timestamps,
)

# Charges as they were when something was billed by them, prices and all, never changed. The same ones are written once, but
# where two bills write them at the same time: neither waits for the other.
billed_terms = Table(
    "billed_terms",
    metadata,
    id_column(),
    organization_column(),
    Column("digest", Uuid, nullable=False),
    Column("charges", JSONB, nullable=False),
    instant("created_at", nullable=False),
    Index("billed_terms_digest_idx", "digest"),
)

# By how much more, or less, corrected events cost than what a final invoice billed of a charge, and the fee that bills that or
# of which it is given back. What nothing was left of to give back, or is more of a void invoice, is waived. What an invoice
# billed that was voided is superseded by the next difference. What is pending is on no invoice yet, or on a draft; once its fee
# is on a final one it is documented.
usage_adjustments = Table(
    "usage_adjustments",
    metadata,
    id_column(),
    tenant_column(),
    # None where fees stand alone. One that was made anew has what was adjusted of the one before.
    reference("invoice_id", "invoices", nullable=True, index=True),
    reference("subscription_id", "subscriptions"),
    # None where it is the plan's commitment that is adjusted.
    reference("charge_id", "charges", nullable=True),
    instant("from_at", nullable=False),
    instant("to_at", nullable=False),
    string("status", nullable=False),
    string("currency", nullable=False),
    Column("amount_cents", BigInteger, nullable=False),
    # Of an increase that the next invoice bills: its charge, taxes, name and explanation.
    Column("content", JSONB(none_as_null=True)),
    reference("fee_id", "fees", nullable=True),
    reference("credit_note_id", "credit_notes", nullable=True),
    instant("created_at", nullable=False),
    CheckConstraint("status IN ('documented', 'pending', 'superseded', 'waived')", name="status"),
    CheckConstraint(
        "CASE status WHEN 'waived' THEN amount_cents <> 0 AND fee_id IS NULL AND credit_note_id IS NULL"
        " WHEN 'pending' THEN amount_cents > 0 AND content IS NOT NULL AND credit_note_id IS NULL"
        " ELSE fee_id IS NOT NULL AND (credit_note_id IS NULL AND (amount_cents > 0 OR invoice_id IS NULL)"
        " OR credit_note_id IS NOT NULL AND amount_cents < 0) END",
        name="document",
    ),
    Index("usage_adjustments_charge_idx", "subscription_id", "charge_id", "from_at"),
    Index("usage_adjustments_fee_idx", "fee_id", postgresql_where=text("fee_id IS NOT NULL")),
)

# What was told otherwise of a draft's fees by hand; each computation of the draft takes it up again (invoicing §8).
adjusted_fees = Table(
    "adjusted_fees",
    metadata,
    id_column(),
    organization_column(),
    reference("invoice_id", "invoices", index=True),
    reference("subscription_id", "subscriptions"),
    string("fee_type", nullable=False),
    reference("charge_id", "charges", nullable=True),
    reference("charge_filter_id", "charge_filters", nullable=True),
    reference("fixed_charge_id", "fixed_charges", nullable=True),
    Column("grouped_by", JSONB, nullable=False, server_default=text("'{}'")),
    Column("units", Numeric),
    Column("unit_precise_amount", Numeric),
    string("invoice_display_name"),
    *timestamps(),
    CheckConstraint("units >= 0 AND unit_precise_amount >= 0", name="amounts"),
)
