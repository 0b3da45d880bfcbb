"""Tables of who is billed: customers, their metadata and subscriptions."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

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
    timestamps,
)

customers = Table(
    "customers",
    metadata,
    id_column(),
    organization_column(),
    reference("billing_entity_id", "billing_entities"),
    string("external_id", nullable=False),
    Column("sequential_id", BigInteger, nullable=False),
    string("slug", nullable=False),
    string("name"),
    string("firstname"),
    string("lastname"),
    string("legal_name"),
    string("legal_number"),
    string("url"),
    string("logo_url"),
    string("phone"),
    string("email"),
    string("tax_identification_number"),
    string("external_salesforce_id"),
    string("customer_type"),
    string("account_type", nullable=False, default="customer"),
    string("address_line1"),
    string("address_line2"),
    string("city"),
    string("zipcode"),
    string("state"),
    string("country"),
    string("shipping_address_line1"),
    string("shipping_address_line2"),
    string("shipping_city"),
    string("shipping_zipcode"),
    string("shipping_state"),
    string("shipping_country"),
    string("currency"),
    string("timezone"),
    Column("net_payment_term", Integer),
    string("finalize_zero_amount_invoice", nullable=False, default="inherit"),
    Column("invoice_grace_period", Integer),
    string("subscription_invoice_issuing_date_anchor"),
    string("subscription_invoice_issuing_date_adjustment"),
    string("document_locale"),
    string("payment_provider"),
    string("payment_provider_code"),
    # The connection that a link is to, and who they are there (wallets-and-payments §12.2).
    implied("payment_provider_id", nullable=True),
    string("provider_customer_id"),
    Column("sync_with_provider", Boolean),
    Column("provider_payment_methods", ARRAY(Text)),
    flag("skip_invoice_custom_sections"),
    *timestamps(),
    instant("deleted_at"),
    Index(
        "customers_external_id_key",
        "organization_id",
        "external_id",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
    # Deleted ones, too: lists of what a customer had ask for it.
    Index("customers_external_id_idx", "organization_id", "external_id"),
    UniqueConstraint("organization_id", "sequential_id"),
    Index(
        "customers_provider_idx",
        "payment_provider_id",
        "provider_customer_id",
        postgresql_where=text("payment_provider_id IS NOT NULL"),
    ),
    Index("customers_newest_idx", "organization_id", text("created_at DESC"), "id"),
    CheckConstraint("net_payment_term >= 0 AND invoice_grace_period >= 0", name="terms"),
)

customer_metadata = Table(
    "customer_metadata",
    metadata,
    id_column(),
    organization_column(),
    reference("customer_id", "customers"),
    string("key", nullable=False),
    string("value", nullable=False),
    flag("display_in_invoice"),
    *timestamps(),
    UniqueConstraint("customer_id", "key"),
)

# A VAT number that waits for the answer of the European register (subscriptions §1.7).
vat_checks = Table(
    "vat_checks",
    metadata,
    id_column(),
    organization_column(),
    reference("customer_id", "customers"),
    string("vat_number", nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    *timestamps(),
    UniqueConstraint("customer_id"),
)

# What is still to be asked of the provider that a customer is linked to (wallets-and-payments §12.2); gone once it is done.
link_tasks = Table(
    "link_tasks",
    metadata,
    id_column(),
    organization_column(),
    reference("customer_id", "customers"),
    Column("steps", ARRAY(Text), nullable=False),
    *timestamps(),
    UniqueConstraint("customer_id"),
)

# The accounts to which a customer sends money that their provider takes invoices from (wallets-and-payments §12.2): the same for each
# customer and currency, so they are asked for once.
funding_instructions = Table(
    "funding_instructions",
    metadata,
    id_column(),
    organization_column(),
    reference("customer_id", "customers"),
    reference("payment_provider_id", "payment_providers"),
    string("currency", nullable=False),
    # None until the provider has told them.
    Column("accounts", JSONB(none_as_null=True)),
    # When it last refused to.
    instant("refused_at"),
    *timestamps(),
    Index("funding_instructions_key", "customer_id", "payment_provider_id", "currency", unique=True),
)

# Ways in which customers pay through a provider: known from its events alone (wallets-and-payments §13).
payment_methods = Table(
    "payment_methods",
    metadata,
    id_column(),
    organization_column(),
    reference("customer_id", "customers", index=True),
    string("payment_provider", nullable=False),
    string("payment_provider_code"),
    string("provider_customer_id"),
    string("provider_method_id", nullable=False),
    implied("payment_provider_id", nullable=True),
    # What may be shown of it: type, brand, last digits, month of expiry.
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    flag("is_default"),
    *timestamps(),
    instant("deleted_at"),
    Index(
        "payment_methods_default_key",
        "customer_id",
        unique=True,
        postgresql_where=text("is_default AND deleted_at IS NULL"),
    ),
    Index(
        "payment_methods_provider_key",
        "customer_id",
        "payment_provider",
        "provider_method_id",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    id_column(),
    organization_column(),
    reference("customer_id", "customers", index=True),
    reference("plan_id", "plans", index=True),
    reference("billing_entity_id", "billing_entities", nullable=True),
    reference("previous_subscription_id", "subscriptions", nullable=True, index=True),
    string("external_id", nullable=False),
    string("name"),
    string("status", nullable=False),
    string("billing_time", nullable=False),
    instant("subscription_at", nullable=False),
    instant("started_at"),
    instant("activated_at"),
    instant("ending_at"),
    instant("terminated_at"),
    # The end of its usage, exclusive: of its last window.
    instant("usage_ends_at"),
    instant("canceled_at"),
    # Why one that waited for its first payment was called off.
    string("cancellation_reason"),
    instant("trial_ended_at"),
    # Where it began in periods that were over when it was made, or while another one was in force: from when on usage is its own.
    instant("counts_from"),
    # Another system billed all that was due by then; it was made there at the other instant, and may have had a base price there.
    instant("taken_over_at"),
    instant("made_elsewhere_at"),
    flag("was_billed_elsewhere"),
    string("purchase_order_number"),
    Column("consolidate_invoice", Boolean, nullable=False, server_default=text("true")),
    string("payment_method_type", nullable=False, default="provider"),
    reference("payment_method_id", "payment_methods", nullable=True),
    flag("progressive_billing_disabled"),
    string("on_termination_credit_note"),
    string("on_termination_invoice", nullable=False, default="generate"),
    flag("skip_invoice_custom_sections"),
    *timestamps(),
    Index(
        "subscriptions_active_key",
        "organization_id",
        "external_id",
        unique=True,
        postgresql_where=text("status = 'active'"),
    ),
    Index(
        "subscriptions_incomplete_key",
        "organization_id",
        "external_id",
        unique=True,
        postgresql_where=text("status = 'incomplete'"),
    ),
    Index("subscriptions_external_id_idx", "organization_id", "external_id"),
    Index("subscriptions_newest_idx", "organization_id", "status", text("subscription_at DESC"), "id"),
    CheckConstraint("status IN ('pending', 'incomplete', 'active', 'terminated', 'canceled')", name="status"),
    CheckConstraint("billing_time IN ('calendar', 'anniversary')", name="billing_time"),
    CheckConstraint(
        "status NOT IN ('incomplete', 'active', 'terminated') OR started_at IS NOT NULL", name="started"
    ),
    CheckConstraint("cancellation_reason IS NULL OR status = 'canceled'", name="cancellation_reason"),
    CheckConstraint("(status = 'terminated') = (terminated_at IS NOT NULL)", name="terminated"),
    CheckConstraint("(terminated_at IS NULL) = (usage_ends_at IS NULL)", name="usage_ends"),
    CheckConstraint("(taken_over_at IS NULL) = (made_elsewhere_at IS NULL)", name="taken_over"),
)

# What a subscription waits for before it is active (subscriptions §2.10).
activation_rules = Table(
    "activation_rules",
    metadata,
    id_column(),
    organization_column(),
    reference("subscription_id", "subscriptions"),
    string("rule_type", nullable=False),
    Column("timeout_hours", Integer, nullable=False, server_default=text("0")),
    string("status", nullable=False, default="inactive"),
    instant("expires_at"),
    *timestamps(),
    UniqueConstraint("subscription_id", "rule_type"),
    CheckConstraint("timeout_hours >= 0", name="timeout"),
    CheckConstraint(
        "status IN ('inactive', 'pending', 'satisfied', 'declined', 'failed', 'expired', 'not_applicable')",
        name="status",
    ),
)

# Marks of usage at which a progressive invoice is issued: of a plan, or of one subscription (pricing §14).
usage_thresholds = Table(
    "usage_thresholds",
    metadata,
    id_column(),
    organization_column(),
    reference("plan_id", "plans", nullable=True, index=True),
    reference("subscription_id", "subscriptions", nullable=True, index=True),
    cents("amount_cents"),
    string("threshold_display_name"),
    flag("recurring"),
    *timestamps(),
    CheckConstraint("amount_cents > 0", name="amount"),
    CheckConstraint("(plan_id IS NULL) <> (subscription_id IS NULL)", name="owner"),
)

# Units of a fixed charge over time, for each subscription: the last one noted counts (pricing §13.2).
fixed_charge_unit_events = Table(
    "fixed_charge_unit_events",
    metadata,
    id_column(),
    organization_column(),
    reference("subscription_id", "subscriptions"),
    reference("fixed_charge_id", "fixed_charges"),
    precise("units", 10),
    instant("effective_at", nullable=False),
    instant("created_at", nullable=False),
    Index("fixed_charge_unit_events_idx", "subscription_id", "fixed_charge_id", "created_at"),
)

# A subscription's own units of a plan's fixed charge: the plan's no longer reach it (pricing §13.3).
subscription_fixed_charge_units = Table(
    "subscription_fixed_charge_units",
    metadata,
    organization_column(),
    Column("subscription_id", Uuid, ForeignKey("subscriptions.id"), primary_key=True),
    Column("fixed_charge_id", Uuid, ForeignKey("fixed_charges.id"), primary_key=True),
    precise("units", 10),
    flag("apply_units_immediately"),
    *timestamps(),
)

# What a chain of plan changes used before it was metered here; its external id and anchor never change (metering §9.4).
lifetime_usages = Table(
    "lifetime_usages",
    metadata,
    id_column(),
    organization_column(),
    string("external_subscription_id", nullable=False),
    instant("subscription_at", nullable=False),
    cents("external_historical_usage_amount_cents"),
    *timestamps(),
    UniqueConstraint("organization_id", "external_subscription_id", "subscription_at"),
    CheckConstraint("external_historical_usage_amount_cents >= 0", name="historical"),
)
