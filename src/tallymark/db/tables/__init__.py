"""Every table, as SQLAlchemy Core sees it. The migrations are what makes them; a test holds both equal."""

from tallymark.db.tables.advance import events_to_price, priced_events, versions
from tallymark.db.tables.agenda import agenda
from tallymark.db.tables.catalog import (
    add_ons,
    add_ons_taxes,
    billable_metric_filters,
    billable_metrics,
    billing_entities_taxes,
    charge_filters,
    charges,
    charges_taxes,
    commitments,
    commitments_taxes,
    customers_taxes,
    fixed_charges,
    fixed_charges_taxes,
    plans,
    plans_taxes,
    pricing_units,
    taxes,
)
from tallymark.db.tables.columns import metadata
from tallymark.db.tables.customers import (
    customer_metadata,
    customers,
    fixed_charge_unit_events,
    subscription_fixed_charge_units,
    subscriptions,
    usage_thresholds,
    vat_checks,
)
from tallymark.db.tables.events import event_streams, events
from tallymark.db.tables.invoices import (
    billing_records,
    fees,
    fees_applied_taxes,
    invoices,
    invoices_applied_taxes,
)
from tallymark.db.tables.organizations import (
    api_keys,
    billing_entities,
    organizations,
    secrets,
    test_clocks,
)
from tallymark.db.tables.outbox import outbox
from tallymark.db.tables.sections import (
    billing_entities_custom_sections,
    customers_custom_sections,
    invoice_custom_sections,
    invoices_applied_custom_sections,
)

__all__ = [
    "add_ons",
    "add_ons_taxes",
    "agenda",
    "api_keys",
    "billable_metric_filters",
    "billable_metrics",
    "billing_entities",
    "billing_entities_custom_sections",
    "billing_entities_taxes",
    "billing_records",
    "charge_filters",
    "charges",
    "charges_taxes",
    "commitments",
    "commitments_taxes",
    "customer_metadata",
    "customers",
    "customers_custom_sections",
    "customers_taxes",
    "event_streams",
    "events",
    "events_to_price",
    "fees",
    "fees_applied_taxes",
    "fixed_charge_unit_events",
    "fixed_charges",
    "fixed_charges_taxes",
    "invoice_custom_sections",
    "invoices",
    "invoices_applied_custom_sections",
    "invoices_applied_taxes",
    "metadata",
    "organizations",
    "outbox",
    "plans",
    "plans_taxes",
    "priced_events",
    "pricing_units",
    "secrets",
    "subscription_fixed_charge_units",
    "subscriptions",
    "taxes",
    "test_clocks",
    "usage_thresholds",
    "vat_checks",
    "versions",
]
