"""Tables of the documents: invoices, what they bill, their fees and taxes."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    Numeric,
    Table,
    UniqueConstraint,
    Uuid,
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

invoices = Table(
    "invoices",
    metadata,
    id_column(),
    tenant_column(),
    reference("customer_id", "customers"),
    reference("billing_entity_id", "billing_entities"),
    string("number", nullable=False),
    Column("sequential_id", BigInteger),
    Column("entity_sequential_id", BigInteger),
    string("invoice_type", nullable=False),
    string("status", nullable=False),
    string("payment_status", nullable=False, default="pending"),
    string("tax_status"),
    string("currency", nullable=False),
    string("timezone", nullable=False),
    Column("billing_day", Date, nullable=False),
    instant("billed_at", nullable=False),
    Column("issuing_date", Date, nullable=False),
    Column("expected_finalization_date", Date, nullable=False),
    Column("payment_due_date", Date, nullable=False),
    Column("net_payment_term", Integer, nullable=False),
    flag("payment_overdue"),
    flag("self_billed"),
    flag("is_recurring"),
    string("purchase_order_number"),
    cents("fees_amount_cents"),
    cents("progressive_billing_credit_amount_cents"),
    cents("coupons_amount_cents"),
    cents("sub_total_excluding_taxes_amount_cents"),
    cents("taxes_amount_cents"),
    cents("sub_total_including_taxes_amount_cents"),
    cents("credit_notes_amount_cents"),
    cents("prepaid_credit_amount_cents"),
    # The parts of it that wallets had from grants and from purchases; null for none, or where that is not known.
    cents("prepaid_granted_credit_amount_cents", nullable=True),
    cents("prepaid_purchased_credit_amount_cents", nullable=True),
    cents("total_amount_cents"),
    cents("total_paid_amount_cents"),
    # What credit notes took off what is due (invoicing §12).
    cents("offset_amount_cents"),
    Column("taxes_rate", Numeric, nullable=False, server_default=text("0")),
    # The void invoice that was made anew with this one: once at the most.
    reference("voided_invoice_id", "invoices", nullable=True),
    string("file_key"),
    string("xml_key"),
    # How the totals came to be, kept when the invoice is issued (beyond.md §1).
    Column("explanation", JSONB(none_as_null=True)),
    instant("finalized_at"),
    instant("voided_at"),
    instant("payment_dispute_lost_at"),
    # How often a provider was asked for it, and by what it is to be collected where its maker said so (wallets-and-payments §11.2).
    Column("payment_attempts", Integer, nullable=False, server_default=text("0")),
    flag("skip_psp"),
    string("payment_method_type"),
    implied("payment_method_id", nullable=True),
    *timestamps(),
    UniqueConstraint("customer_id", "billing_entity_id", "sequential_id"),
    Index(
        "invoices_entity_sequence_key",
        "billing_entity_id",
        "entity_sequential_id",
        unique=True,
        postgresql_where=text("entity_sequential_id IS NOT NULL"),
    ),
    Index(
        "invoices_regenerated_key",
        "voided_invoice_id",
        unique=True,
        postgresql_where=text("voided_invoice_id IS NOT NULL"),
    ),
    Index("invoices_newest_idx", "organization_id", text("issuing_date DESC"), text("created_at DESC"), "id"),
    Index("invoices_customer_idx", "customer_id", text("issuing_date DESC"), text("created_at DESC"), "id"),
    Index(
        "invoices_order_number_idx",
        "organization_id",
        text("lower(purchase_order_number)"),
        postgresql_where=text("purchase_order_number IS NOT NULL"),
    ),
    Index(
        "invoices_overdue_idx",
        "organization_id",
        "payment_due_date",
        postgresql_where=text("payment_overdue"),
    ),
    Index("invoices_draft_idx", "organization_id", "id", postgresql_where=text("status = 'draft'")),
    Index("invoices_one_off_idx", "organization_id", "id", postgresql_where=text("invoice_type = 'one_off'")),
    CheckConstraint(
        "sub_total_excluding_taxes_amount_cents ="
        " fees_amount_cents - progressive_billing_credit_amount_cents - coupons_amount_cents",
        name="sub_total_excluding_taxes",
    ),
    CheckConstraint(
        "sub_total_including_taxes_amount_cents = sub_total_excluding_taxes_amount_cents + taxes_amount_cents",
        name="sub_total_including_taxes",
    ),
    CheckConstraint(
        "total_amount_cents = sub_total_including_taxes_amount_cents"
        " - credit_notes_amount_cents - prepaid_credit_amount_cents",
        name="total",
    ),
    CheckConstraint("total_amount_cents >= 0", name="total_not_negative"),
    CheckConstraint(
        "COALESCE(prepaid_granted_credit_amount_cents, 0) + COALESCE(prepaid_purchased_credit_amount_cents, 0)"
        " IN (0, prepaid_credit_amount_cents)",
        name="prepaid",
    ),
    CheckConstraint(
        "total_paid_amount_cents + offset_amount_cents <= total_amount_cents", name="not_overpaid"
    ),
    CheckConstraint("status <> 'finalized' OR sequential_id IS NOT NULL", name="numbered"),
)

invoice_metadata = Table(
    "invoice_metadata",
    metadata,
    id_column(),
    organization_column(),
    reference("invoice_id", "invoices"),
    string("key", nullable=False),
    string("value", nullable=False),
    *timestamps(),
    UniqueConstraint("invoice_id", "key"),
)

billing_records = Table(
    "billing_records",
    metadata,
    id_column(),
    tenant_column(),
    reference("invoice_id", "invoices"),
    reference("subscription_id", "subscriptions"),
    string("invoicing_reason", nullable=False),
    flag("is_recurring"),
    Column("billing_day", Date, nullable=False),
    instant("billed_at", nullable=False),
    instant("from_at", nullable=False),
    instant("to_at", nullable=False),
    instant("charges_from_at"),
    instant("charges_to_at"),
    instant("fixed_charges_from_at"),
    instant("fixed_charges_to_at"),
    # The period of which the charges' one may be a part, and what they were billed by: none where no usage was.
    instant("charges_full_from_at"),
    instant("charges_full_to_at"),
    reference("billed_terms_id", "billed_terms", nullable=True),
    # The plan's commitment where it was held against a period, which that was, and what was spent in it.
    Column("commitment_terms", JSONB(none_as_null=True)),
    # What the wire shows; differs from the half-open instants only where subscriptions §3.4 says so.
    instant("wire_to_at", nullable=False),
    instant("wire_charges_to_at"),
    instant("wire_fixed_charges_to_at"),
    # The invoice that bills this in place of the void one.
    reference("regenerated_invoice_id", "invoices", nullable=True),
    instant("created_at", nullable=False),
    UniqueConstraint("invoice_id", "subscription_id"),
    # Those of invoices that were made anew, too, which the indexes below leave out.
    Index("billing_records_subscription_id_idx", "subscription_id"),
    # At most one invoice per subscription and period (subscriptions §5.3).
    Index(
        "billing_records_day_key",
        "subscription_id",
        "billing_day",
        unique=True,
        postgresql_where=text("is_recurring AND regenerated_invoice_id IS NULL"),
    ),
    Index(
        "billing_records_charges_period_key",
        "subscription_id",
        "charges_from_at",
        "charges_to_at",
        unique=True,
        postgresql_where=text("is_recurring AND regenerated_invoice_id IS NULL"),
    ),
    Index(
        "billing_records_start_key",
        "subscription_id",
        unique=True,
        postgresql_where=text(
            "invoicing_reason = 'subscription_starting' AND regenerated_invoice_id IS NULL"
        ),
    ),
    Index(
        "billing_records_termination_key",
        "subscription_id",
        unique=True,
        postgresql_where=text(
            "invoicing_reason = 'subscription_terminating' AND regenerated_invoice_id IS NULL"
        ),
    ),
    # What was billed progressively of a period, for the invoices that credit it (invoicing §5.1).
    Index(
        "billing_records_progressive_idx",
        "subscription_id",
        "charges_from_at",
        postgresql_where=text("invoicing_reason = 'progressive_billing'"),
    ),
)

fees = Table(
    "fees",
    metadata,
    id_column(),
    tenant_column(),
    reference("invoice_id", "invoices", nullable=True, index=True),
    implied("customer_id"),
    reference("subscription_id", "subscriptions", nullable=True),
    reference("charge_id", "charges", nullable=True),
    reference("charge_filter_id", "charge_filters", nullable=True),
    reference("fixed_charge_id", "fixed_charges", nullable=True),
    reference("add_on_id", "add_ons", nullable=True),
    reference("true_up_parent_fee_id", "fees", nullable=True, index=True),
    # The fee of a void invoice that was made anew with this one.
    reference("original_fee_id", "fees", nullable=True),
    implied("billable_metric_id", nullable=True),
    implied("plan_id", nullable=True),
    reference("wallet_transaction_id", "wallet_transactions", nullable=True),
    Column("position", Integer, nullable=False, server_default=text("0")),
    string("fee_type", nullable=False),
    string("currency", nullable=False),
    cents("amount_cents"),
    precise("precise_amount_cents"),
    precise("precise_coupons_amount_cents", 5),
    cents("taxes_amount_cents"),
    precise("taxes_precise_amount_cents"),
    Column("taxes_rate", Numeric, nullable=False, server_default=text("0")),
    precise("units", 10),
    precise("total_aggregated_units", 10),
    cents("unit_amount_cents"),
    precise("precise_unit_amount"),
    Column("events_count", BigInteger),
    Column("amount_details", JSONB, nullable=False, server_default=text("'{}'")),
    Column("grouped_by", JSONB, nullable=False, server_default=text("'{}'")),
    Column("presentation_breakdowns", JSONB, nullable=False, server_default=text("'[]'")),
    # The amount in the charge's own pricing unit, where it has one: see `pricing_unit_details` on the wire.
    Column("pricing_unit_details", JSONB),
    Column("explanation", JSONB, nullable=False, server_default=text("'[]'")),
    string("invoice_display_name"),
    string("filter_display_name"),
    string("description"),
    # The one event that a fee in advance is for.
    Column("event_id", Uuid),
    string("event_transaction_id"),
    string("item_code", nullable=False),
    string("item_name", nullable=False),
    string("item_description"),
    flag("pay_in_advance"),
    flag("invoiceable", default=True),
    string("payment_status", nullable=False, default="pending"),
    instant("from_at"),
    instant("to_at"),
    instant("succeeded_at"),
    instant("failed_at"),
    instant("refunded_at"),
    *timestamps(),
    Index("fees_subscription_idx", "subscription_id", "from_at"),
    Index("fees_oldest_idx", "organization_id", "created_at", "id"),
    Index("fees_customer_idx", "customer_id", "created_at", "id"),
    # One subscription fee per subscription and invoice (invoicing §18.13).
    Index(
        "fees_subscription_key",
        "invoice_id",
        "subscription_id",
        unique=True,
        postgresql_where=text("fee_type = 'subscription'"),
    ),
    # One fee in advance per event and charge (metering §8.5); an event's id holds its subscription.
    Index(
        "fees_event_key",
        "event_id",
        "charge_id",
        unique=True,
        postgresql_where=text("event_id IS NOT NULL AND original_fee_id IS NULL"),
    ),
    # One fee for each purchase of credits (wallets §5).
    Index(
        "fees_wallet_transaction_key",
        "wallet_transaction_id",
        unique=True,
        postgresql_where=text("wallet_transaction_id IS NOT NULL"),
    ),
    Index("fees_original_idx", "original_fee_id", postgresql_where=text("original_fee_id IS NOT NULL")),
    Index(
        "fees_standalone_idx", "subscription_id", "created_at", postgresql_where=text("invoice_id IS NULL")
    ),
    Index(
        "fees_uninvoiced_idx", "organization_id", "created_at", postgresql_where=text("invoice_id IS NULL")
    ),
    # Below zero is only what corrected events cost less than fees that are on no invoice, nor ever will be.
    CheckConstraint(
        "amount_cents >= 0 AND taxes_amount_cents >= 0"
        " OR invoice_id IS NULL AND event_id IS NULL AND amount_cents < 0 AND taxes_amount_cents <= 0",
        name="amounts",
    ),
    CheckConstraint(
        "precise_coupons_amount_cents >= 0 AND precise_coupons_amount_cents <= GREATEST(amount_cents, 0)",
        name="coupons",
    ),
)


def applied_taxes_of(documents: str, key: str) -> Table:
    """Taxes copied onto a document when it is computed: later changes of the tax do not touch it."""
    return Table(
        f"{documents}_applied_taxes",
        metadata,
        id_column(),
        tenant_column(),
        reference(key, documents, index=True),
        Column("tax_id", Uuid, nullable=False),
        string("tax_code", nullable=False),
        string("tax_name", nullable=False),
        string("tax_description"),
        Column("tax_rate", Numeric, nullable=False),
        string("currency", nullable=False),
        cents("amount_cents"),
        cents("fees_amount_cents"),
        instant("created_at", nullable=False),
    )


# What was deducted from an invoice, with what it shows of where that came from (invoicing §2.3).
invoice_credits = Table(
    "invoice_credits",
    metadata,
    id_column(),
    organization_column(),
    reference("invoice_id", "invoices", index=True),
    Column("credit_note_id", Uuid, index=True),
    reference("coupon_id", "coupons", nullable=True),
    reference("applied_coupon_id", "applied_coupons", nullable=True, index=True),
    reference("progressive_invoice_id", "invoices", nullable=True, index=True),
    cents("amount_cents"),
    string("currency", nullable=False),
    flag("before_taxes"),
    # By what rule it was taken, of what, and which fee bears what of it.
    Column("terms", JSONB(none_as_null=True)),
    string("item_type", nullable=False),
    string("item_code", nullable=False),
    string("item_name", nullable=False),
    string("item_description"),
    instant("created_at", nullable=False),
    CheckConstraint("amount_cents > 0 OR amount_cents = 0 AND coupon_id IS NOT NULL", name="amount"),
)

# Money given back on an invoice (invoicing §11).
credit_notes = Table(
    "credit_notes",
    metadata,
    id_column(),
    organization_column(),
    reference("customer_id", "customers", index=True),
    reference("invoice_id", "invoices"),
    Column("sequential_id", BigInteger, nullable=False),
    string("number", nullable=False),
    string("credit_status", nullable=False),
    string("refund_status"),
    string("reason", nullable=False),
    string("description"),
    string("currency", nullable=False),
    Column("issuing_date", Date, nullable=False),
    cents("total_amount_cents"),
    cents("credit_amount_cents"),
    cents("refund_amount_cents"),
    cents("offset_amount_cents"),
    cents("balance_amount_cents"),
    cents("taxes_amount_cents"),
    cents("sub_total_excluding_taxes_amount_cents"),
    precise("precise_coupons_adjustment_amount_cents"),
    precise("precise_taxes_amount_cents"),
    precise("precise_total_amount_cents"),
    Column("taxes_rate", Numeric, nullable=False, server_default=text("0")),
    Column("metadata", JSONB(none_as_null=True)),
    string("file_key"),
    string("xml_key"),
    instant("refunded_at"),
    *timestamps(),
    UniqueConstraint("invoice_id", "sequential_id"),
    Index("credit_notes_newest_idx", "organization_id", text("created_at DESC"), "id"),
    CheckConstraint(
        "total_amount_cents = credit_amount_cents + refund_amount_cents + offset_amount_cents", name="total"
    ),
    CheckConstraint(
        "total_amount_cents = sub_total_excluding_taxes_amount_cents + taxes_amount_cents", name="sum"
    ),
    CheckConstraint("refund_amount_cents >= 0 AND offset_amount_cents >= 0", name="parts"),
    CheckConstraint("balance_amount_cents BETWEEN 0 AND credit_amount_cents", name="balance"),
)

# Notes asked for on drafts: made when their invoice is issued, of the same shares of its fees as they are then (§6).
draft_credit_notes = Table(
    "draft_credit_notes",
    metadata,
    id_column(),
    organization_column(),
    reference("invoice_id", "invoices", index=True),
    string("reason", nullable=False),
    string("description"),
    Column("metadata", JSONB(none_as_null=True)),
    cents("credit_amount_cents"),
    cents("offset_amount_cents"),
    Column("items", JSONB, nullable=False),
    instant("created_at", nullable=False),
    CheckConstraint("credit_amount_cents >= 0 AND offset_amount_cents >= 0", name="parts"),
)

# What pays an invoice but is no payment: so far, offsets of credit notes (invoicing §12).
invoice_settlements = Table(
    "invoice_settlements",
    metadata,
    id_column(),
    organization_column(),
    reference("invoice_id", "invoices", index=True),
    string("settlement_type", nullable=False),
    reference("credit_note_id", "credit_notes", nullable=True),
    cents("amount_cents"),
    string("currency", nullable=False),
    instant("created_at", nullable=False),
    CheckConstraint("amount_cents > 0", name="amount"),
)

credit_note_items = Table(
    "credit_note_items",
    metadata,
    id_column(),
    organization_column(),
    reference("credit_note_id", "credit_notes", index=True),
    reference("fee_id", "fees", index=True),
    cents("amount_cents"),
    precise("precise_amount_cents", 5),
    string("currency", nullable=False),
    instant("created_at", nullable=False),
)

credit_notes_applied_taxes = applied_taxes_of("credit_notes", "credit_note_id")
invoices_applied_taxes = applied_taxes_of("invoices", "invoice_id")
fees_applied_taxes = applied_taxes_of("fees", "fee_id")

# The thresholds that a progressive invoice was made for, as they were (invoicing §9). `level_cents` is the lifetime usage
# at which one stood: each is billed once in a period, whoever looks how often.
applied_usage_thresholds = Table(
    "applied_usage_thresholds",
    metadata,
    id_column(),
    organization_column(),
    reference("invoice_id", "invoices", index=True),
    reference("subscription_id", "subscriptions"),
    instant("charges_from_at", nullable=False),
    cents("level_cents"),
    cents("lifetime_usage_amount_cents"),
    Column("usage_threshold_id", Uuid, nullable=False),
    cents("amount_cents"),
    string("threshold_display_name"),
    flag("recurring"),
    instant("threshold_created_at", nullable=False),
    instant("threshold_updated_at", nullable=False),
    instant("created_at", nullable=False),
    Index(
        "applied_usage_thresholds_level_key",
        "subscription_id",
        "charges_from_at",
        "level_cents",
        "recurring",
        unique=True,
    ),
)
