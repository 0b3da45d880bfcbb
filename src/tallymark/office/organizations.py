"""All tenants, and the invoices that they issued."""

from __future__ import annotations

from sqlalchemy import ColumnElement, ScalarSelect, Table, func, select
from starlette_admin import IntegerField

from tallymark.db.tables import (
    customers,
    invoices,
    memberships,
    organizations,
    subscriptions,
    test_clocks,
)
from tallymark.office.tables import TableView, instant, money, words


def _count(of: Table, *more: ColumnElement[bool]) -> ScalarSelect[int]:
    own = of.c.organization_id == organizations.c.id
    return select(func.count()).select_from(of).where(own, *more).correlate(organizations).scalar_subquery()


class OrganizationsView(TableView):
    """Every tenant, with how much it has."""

    key = "organizations"
    display_name = "Organization"
    menu_label = "Organizations"
    icon = "fa-solid fa-building"
    newest_first = "created_at"
    searched = ("id", "name", "slug")
    statement = select(
        organizations.c.id,
        organizations.c.name,
        organizations.c.slug,
        _count(memberships, memberships.c.status == "active").label("members"),
        _count(customers, customers.c.deleted_at.is_(None)).label("customers"),
        _count(subscriptions, subscriptions.c.status == "active").label("subscriptions"),
        test_clocks.c.frozen_time,
        organizations.c.created_at,
    ).join_from(organizations, test_clocks, test_clocks.c.organization_id == organizations.c.id, isouter=True)
    fields = (
        words("name"),
        words("slug"),
        IntegerField("members", filters=[]),
        IntegerField("customers", filters=[]),
        IntegerField("subscriptions", label="Active subscriptions", filters=[]),
        instant("frozen_time", "Test clock"),
        instant("created_at", "Made"),
        words("id", "Id", exclude_from_list=True),
    )


class InvoicesView(TableView):
    """Every tenant's invoices, to be read: money is changed in the web app or over the API, by whoever may."""

    key = "invoices"
    display_name = "Invoice"
    menu_label = "Invoices"
    icon = "fa-solid fa-file-invoice"
    searched = ("id", "number", "organization", "customer", "external_customer_id", "status")
    statement = (
        select(
            invoices.c.id,
            invoices.c.number,
            organizations.c.name.label("organization"),
            customers.c.name.label("customer"),
            customers.c.external_id.label("external_customer_id"),
            invoices.c.invoice_type,
            invoices.c.status,
            invoices.c.payment_status,
            invoices.c.currency,
            invoices.c.taxes_amount_cents,
            invoices.c.total_amount_cents,
            invoices.c.total_paid_amount_cents,
            invoices.c.issuing_date,
            invoices.c.payment_due_date,
            invoices.c.created_at,
            invoices.c.finalized_at,
        )
        .join_from(invoices, organizations, organizations.c.id == invoices.c.organization_id)
        .join(customers, customers.c.id == invoices.c.customer_id)
    )
    fields = (
        words("number"),
        words("organization"),
        words("customer"),
        words("external_customer_id", "External id", exclude_from_list=True),
        words("invoice_type", "Type", exclude_from_list=True),
        words("status"),
        words("payment_status", "Payment"),
        money("total_amount_cents", "Total"),
        money("taxes_amount_cents", "Of it taxes"),
        money("total_paid_amount_cents", "Paid"),
        words("issuing_date", "Issued on"),
        words("payment_due_date", "Due on", exclude_from_list=True),
        instant("created_at", "Made", exclude_from_list=True),
        instant("finalized_at", "Finalized", exclude_from_list=True),
        words("id", "Id", exclude_from_list=True),
    )
