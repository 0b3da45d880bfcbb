"""The doors to customers."""

from __future__ import annotations

import re

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.routing import tenant_router
from tallymark.api.wire import query_flag
from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid
from tallymark.rooms.customers import service
from tallymark.rooms.customers.model import Customer, Filters
from tallymark.rooms.customers.schemas import (
    CustomerRequest,
    CustomerResponse,
    CustomersResponse,
    DetailedCustomerOutput,
    ListedCustomerOutput,
    customer_fields,
)
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.taxes.schemas import TaxOutput

router = tenant_router("customers")

METADATA_KEY = re.compile(r"metadata\[(.+)\]")


@router.post("/customers")
async def upsert_customer(body: CustomerRequest, context: InContext) -> CustomerResponse:
    """Make a customer, or change what is sent of the one with that `external_id`."""
    async with context.transaction() as tx:
        customer = await service.upsert(tx, body.customer.to_value(), now=context.now)
        return await _answer(tx, customer)


@router.get("/customers")
async def list_customers(request: Request, context: InContext, page: InPage) -> CustomersResponse:
    """List customers, newest first."""
    filters = read_filters(request)
    async with context.transaction() as tx:
        customers, total = await service.list_customers(tx, filters, page)
        taxes = await service.taxes_of(tx, customers)
        entities = await organizations.get_entities(
            tx, {customer.billing_entity_id for customer in customers}
        )
    shown = [
        ListedCustomerOutput(
            **customer_fields(customer, entities[customer.billing_entity_id]),
            taxes=[TaxOutput.of(tax) for tax in taxes.get(customer.id, ())],
        )
        for customer in customers
    ]
    return CustomersResponse(customers=shown, meta=Meta.of(page, total))


@router.get("/customers/{external_id:path}")
async def get_customer(external_id: str, context: InContext) -> CustomerResponse:
    """Read one customer."""
    async with context.transaction() as tx:
        return await _answer(tx, await service.get_customer(tx, external_id=external_id))


@router.delete("/customers/{external_id:path}")
async def delete_customer(external_id: str, context: InContext) -> CustomerResponse:
    """Delete a customer: their subscriptions end, their invoices stay."""
    async with context.transaction() as tx:
        customer = await service.get_customer(tx, external_id=external_id)
        answer = await _answer(tx, customer)
        await service.delete_customer(tx, external_id, now=context.now)
        return answer


async def _answer(tx: Tx, customer: Customer) -> CustomerResponse:
    entities = await organizations.get_entities(tx, {customer.billing_entity_id})
    taxes = await service.taxes_of(tx, [customer])
    shown = DetailedCustomerOutput.with_taxes(
        customer, entities[customer.billing_entity_id], taxes.get(customer.id, ())
    )
    return CustomerResponse(customer=shown)


def read_filters(request: Request) -> Filters:
    """The filters of a list (subscriptions §1.2). Raises `Invalid` for a value that is none of its list."""
    query = request.query_params

    def several(name: str) -> tuple[str, ...]:
        return tuple(query.getlist(f"{name}[]") or query.getlist(name))

    account_types = several("account_type")
    customer_type = query.get("customer_type")
    has_type = query_flag(query.get("has_customer_type"))
    if any(kind not in ("customer", "partner") for kind in account_types):
        raise Invalid({"account_type": ["must be one of: customer, partner"]})
    if customer_type is not None and (customer_type not in ("company", "individual") or has_type is False):
        raise Invalid({"customer_type": ["must be one of: company, individual"]})
    return Filters(
        search_term=query.get("search_term"),
        external_id=query.get("external_id"),
        account_types=account_types,
        billing_entity_codes=several("billing_entity_codes"),
        countries=several("countries"),
        states=several("states"),
        zipcodes=several("zipcodes"),
        currencies=several("currencies"),
        has_tax_identification_number=query_flag(query.get("has_tax_identification_number")),
        customer_type=customer_type,
        has_customer_type=has_type,
        metadata=tuple(
            (match[1], value)
            for name, value in query.multi_items()
            if (match := METADATA_KEY.fullmatch(name))
        ),
    )
