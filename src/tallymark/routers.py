"""The doors of every room, in the order in which they are tried."""

from __future__ import annotations

from fastapi import APIRouter

from tallymark.api import batches
from tallymark.rooms.activity_logs import routes as activity_logs
from tallymark.rooms.add_ons import routes as add_ons
from tallymark.rooms.alerts import routes as alerts
from tallymark.rooms.amendments import routes as amendments
from tallymark.rooms.analytics import app_routes as app_analytics
from tallymark.rooms.analytics import routes as analytics
from tallymark.rooms.api_logs import routes as api_logs
from tallymark.rooms.billable_metrics import routes as billable_metrics
from tallymark.rooms.billing import routes as billing
from tallymark.rooms.billing_entities import routes as billing_entities
from tallymark.rooms.consequences import routes as consequences
from tallymark.rooms.coupons import routes as coupons
from tallymark.rooms.credit_notes import routes as credit_notes
from tallymark.rooms.customers import app_routes as app_customers
from tallymark.rooms.customers import routes as customers
from tallymark.rooms.data_exports import routes as data_exports
from tallymark.rooms.dunning import routes as dunning
from tallymark.rooms.emails import routes as emails
from tallymark.rooms.entitlements import routes as entitlements
from tallymark.rooms.estimates import routes as estimates
from tallymark.rooms.event_backfills import routes as event_backfills
from tallymark.rooms.events import app_routes as app_events
from tallymark.rooms.events import routes as events
from tallymark.rooms.fees import routes as fees
from tallymark.rooms.invoice_custom_sections import routes as invoice_custom_sections
from tallymark.rooms.invoices import app_routes as app_invoices
from tallymark.rooms.invoices import routes as invoices
from tallymark.rooms.journal import routes as journal
from tallymark.rooms.lifetime_usages import routes as lifetime_usages
from tallymark.rooms.limits import routes as limits
from tallymark.rooms.members import routes as members
from tallymark.rooms.organizations import app_routes as app_organizations
from tallymark.rooms.organizations import key_routes as api_keys
from tallymark.rooms.organizations import routes as organizations
from tallymark.rooms.payment_providers import routes as payment_providers
from tallymark.rooms.payment_requests import routes as payment_requests
from tallymark.rooms.payments import app_routes as app_payments
from tallymark.rooms.payments import routes as payments
from tallymark.rooms.plans import entitlement_routes as plan_entitlements
from tallymark.rooms.plans import price_routes as charge_prices
from tallymark.rooms.plans import routes as plans
from tallymark.rooms.portal import routes as portal
from tallymark.rooms.previews import routes as previews
from tallymark.rooms.search import routes as search
from tallymark.rooms.security_logs import routes as security_logs
from tallymark.rooms.sso import routes as sso
from tallymark.rooms.staff import routes as staff
from tallymark.rooms.subscriptions import entitlement_routes as subscription_entitlements
from tallymark.rooms.subscriptions import price_routes as subscription_prices
from tallymark.rooms.subscriptions import routes as subscriptions
from tallymark.rooms.taxes import routes as taxes
from tallymark.rooms.test_clocks import routes as test_clocks
from tallymark.rooms.usage import routes as usage
from tallymark.rooms.users import routes as users
from tallymark.rooms.wallets import routes as wallets
from tallymark.rooms.webhooks import routes as webhooks

# Order matters: routes with a free path at their end (`/customers/{external_id}`) come after those that go on.
ROUTERS: tuple[APIRouter, ...] = (
    organizations.router,
    organizations.admin_router,
    app_organizations.router,
    test_clocks.router,
    test_clocks.planning_router,
    billing_entities.router,
    billable_metrics.router,
    taxes.router,
    add_ons.router,
    analytics.router,
    entitlements.router,
    entitlements.app_router,
    plan_entitlements.router,
    plans.router,
    charge_prices.router,
    usage.router,
    lifetime_usages.router,
    alerts.router,
    subscription_entitlements.router,
    subscription_prices.router,
    subscriptions.router,
    estimates.router,
    amendments.router,
    event_backfills.router,
    events.router,
    fees.router,
    previews.router,
    emails.router,
    emails.app_router,
    billing.router,
    billing.app_router,
    invoices.router,
    invoices.files_router,
    invoices.admin_router,
    invoice_custom_sections.router,
    credit_notes.router,
    journal.router,
    data_exports.router,
    payment_providers.router,
    payment_providers.inbound_router,
    payment_requests.router,
    dunning.router,
    payments.router,
    coupons.router,
    coupons.app_router,
    wallets.router,
    webhooks.router,
    webhooks.deliveries_router,
    api_logs.router,
    activity_logs.router,
    security_logs.router,
    portal.links_router,
    customers.router,
    users.router,
    members.router,
    members.open_router,
    members.admin_router,
    limits.router,
    limits.admin_router,
    sso.router,
    sso.open_router,
    staff.router,
    api_keys.router,
    search.router,
    portal.router,
    batches.customers_router,
    consequences.router,
    app_events.router,
    app_invoices.router,
    app_payments.router,
    app_customers.router,
    app_analytics.router,
)
