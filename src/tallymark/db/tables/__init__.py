"""Every table, as SQLAlchemy Core sees it. The migrations are what makes them; a test holds both equal."""

from tallymark.db.tables.agenda import agenda
from tallymark.db.tables.catalog import (
    billable_metrics,
    billing_entities_taxes,
    charges,
    charges_taxes,
    customers_taxes,
    plans,
    plans_taxes,
    taxes,
)
from tallymark.db.tables.columns import metadata
from tallymark.db.tables.customers import customer_metadata, customers, subscriptions
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

__all__ = [
    "agenda",
    "api_keys",
    "billable_metrics",
    "billing_entities",
    "billing_entities_taxes",
    "billing_records",
    "charges",
    "charges_taxes",
    "customer_metadata",
    "customers",
    "customers_taxes",
    "event_streams",
    "events",
    "fees",
    "fees_applied_taxes",
    "invoices",
    "invoices_applied_taxes",
    "metadata",
    "organizations",
    "plans",
    "plans_taxes",
    "secrets",
    "subscriptions",
    "taxes",
    "test_clocks",
]
