"""The doors to customers."""

from __future__ import annotations

import re
from collections.abc import Collection

from fastapi import Request

from tallymark.api.context import Context, InContext
from tallymark.api.idempotency import in_parts
from tallymark.api.pagination import InPage, Meta
from tallymark.api.permissions import WRITE, Need, Right, guarded_by
from tallymark.api.queries import reads
from tallymark.api.routing import tenant_router
from tallymark.api.validation import country_codes
from tallymark.api.wire import query_flag, read_id
from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid
from tallymark.domain.money import CURRENCIES
from tallymark.rooms.customers import service
from tallymark.rooms.customers.linking import Linking
from tallymark.rooms.customers.model import Customer, Filters
from tallymark.rooms.customers.schemas import (
    CheckoutUrlOutput,
    CheckoutUrlResponse,
    CustomerRequest,
    CustomerResponse,
    CustomersResponse,
    DetailedCustomerOutput,
    ListedCustomerOutput,
    PaymentMethodOutput,
    PaymentMethodResponse,
    PaymentMethodsResponse,
    customer_fields,
)
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.taxes.schemas import TaxOutput

router = tenant_router("customers", resource="customer")

ACCOUNT_TYPES = ("customer", "partner")
CUSTOMER_TYPES = ("company", "individual")
MAKING = Need((Right(WRITE, "customer"),), frozenset(["customers:create"]))
CHANGING = Need((Right(WRITE, "customer"),), frozenset(["customers:update"]))
"""What it takes to make a customer, and to change one: it is the same call."""

METADATA_KEY = re.compile(r"metadata\[(.+)\]")


@router.post("/customers")
async def upsert_customer(body: CustomerRequest, request: Request, context: InContext) -> CustomerResponse:
    """Make a customer, or change what is sent of the one with that `external_id`.

    With `sync` it is answered once the payment provider has made the customer, too; of a call with an `Idempotency-Key`, whose
    effect and answer are committed as one, a job has it done soon after.
    """
    asked = body.customer.to_value()
    is_awaited = asked.provider is not None and asked.provider.sync and context.joined is None

    def check_allowed(known: Customer | None) -> None:
        context.check(MAKING if known is None else CHANGING)

    async with context.transaction() as tx:
        customer = await service.upsert(
            tx, asked, check_allowed=check_allowed, is_awaited=is_awaited, now=context.now
        )
        answer = await _answer(tx, customer)
    return await _once_linked(request, context, customer) if is_awaited else answer


LISTED_BY = (
    "search_term", "external_id", "account_type[]", "billing_entity_codes[]", "countries[]", "states[]", "zipcodes[]",
    "currencies[]", "has_tax_identification_number", "customer_type", "has_customer_type", "metadata[key]",
)  # fmt: skip
"""By what a list of customers may be narrowed."""

FILTERS = reads(*LISTED_BY)


@router.get("/customers", openapi_extra=FILTERS)
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


@router.post("/customers/{external_id:path}/checkout_url")
@in_parts
async def make_checkout_url(external_id: str, request: Request, context: InContext) -> CheckoutUrlResponse:
    """A page of the customer's payment provider, on which they leave a way to pay (wallets-and-payments §12.2)."""
    customer, url = await _linking(request).checkout_url(context, external_id)
    shown = CheckoutUrlOutput(
        lago_customer_id=customer.id,
        external_customer_id=customer.external_id,
        payment_provider=customer.payment_provider,
        payment_provider_code=customer.payment_provider_code,
        checkout_url=url,
    )
    return CheckoutUrlResponse(customer=shown)


@router.get("/customers/{external_id:path}/payment_methods")
@guarded_by("payment_method")
async def list_payment_methods(external_id: str, context: InContext, page: InPage) -> PaymentMethodsResponse:
    """The ways in which a customer pays through a provider, the newest first."""
    async with context.transaction() as tx:
        customer = await service.get_customer(tx, external_id=external_id)
        methods = await service.payment_methods_of(tx, customer.id)
    shown = methods[page.offset : page.offset + page.size]
    return PaymentMethodsResponse(
        payment_methods=[PaymentMethodOutput.of(method) for method in shown],
        meta=Meta.of(page, len(methods)),
    )


@router.put("/customers/{external_id:path}/payment_methods/{lago_id}/set_as_default")
@guarded_by("payment_method")
async def set_default_payment_method(
    external_id: str, lago_id: str, context: InContext
) -> PaymentMethodResponse:
    """Have a customer pay by this method unless something else is said."""
    async with context.transaction() as tx:
        customer = await service.get_customer(tx, external_id=external_id)
        method_id = read_id(lago_id, "payment_method")
        method = await service.set_default_method(tx, customer.id, method_id, now=context.now)
    return PaymentMethodResponse(payment_method=PaymentMethodOutput.of(method))


@router.delete("/customers/{external_id:path}/payment_methods/{lago_id}")
@guarded_by("payment_method")
async def delete_payment_method(external_id: str, lago_id: str, context: InContext) -> PaymentMethodResponse:
    """Forget a payment method; it may be the default, which leaves none."""
    async with context.transaction() as tx:
        customer = await service.get_customer(tx, external_id=external_id)
        method_id = read_id(lago_id, "payment_method")
        method = await service.delete_payment_method(tx, customer.id, method_id, now=context.now)
    return PaymentMethodResponse(payment_method=PaymentMethodOutput.of(method))


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


async def _once_linked(request: Request, context: Context, customer: Customer) -> CustomerResponse:
    """The customer as their provider has made them; of a call whose effect and answer are one transaction nobody waits for it."""
    assert context.joined is None, "a provider is asked with no transaction open"
    await _linking(request).link_now(context, customer.id)
    async with context.transaction() as tx:
        return await _answer(tx, (await service.get_customers(tx, {customer.id}))[customer.id])


def _linking(request: Request) -> Linking:
    linking: Linking = request.app.state.linking
    return linking


async def _answer(tx: Tx, customer: Customer) -> CustomerResponse:
    entities = await organizations.get_entities(tx, {customer.billing_entity_id})
    taxes = await service.taxes_of(tx, [customer])
    shown = DetailedCustomerOutput.with_taxes(
        customer,
        entities[customer.billing_entity_id],
        taxes.get(customer.id, ()),
        (await service.shown_sections(tx, [customer])).get(customer.id, ()),
    )
    return CustomerResponse(customer=shown)


def read_filters(request: Request) -> Filters:
    """The filters of a list (subscriptions §1.2). Raises `Invalid` for a value that is none of its list."""
    query = request.query_params

    def several(name: str, allowed: Collection[str] | None = None) -> tuple[str, ...]:
        values = tuple(query.getlist(f"{name}[]") or query.getlist(name))
        wrong = [str(index) for index, value in enumerate(values) if allowed and value not in allowed]
        if wrong and allowed:
            raise Invalid(
                {name: {index: [f"must be one of: {', '.join(sorted(allowed))}"] for index in wrong}}
            )
        return values

    customer_type = query.get("customer_type")
    has_type = query_flag(query.get("has_customer_type"))
    if customer_type is not None and customer_type not in CUSTOMER_TYPES:
        raise Invalid({"customer_type": [f"must be one of: {', '.join(CUSTOMER_TYPES)}"]})
    if customer_type is not None and has_type is False:
        raise Invalid({"customer_type": ["must not be sent when has_customer_type is false"]})
    return Filters(
        search_term=query.get("search_term"),
        external_id=query.get("external_id"),
        account_types=several("account_type", ACCOUNT_TYPES),
        billing_entity_codes=several("billing_entity_codes"),
        countries=several("countries", country_codes()),
        states=several("states"),
        zipcodes=several("zipcodes"),
        currencies=several("currencies", CURRENCIES),
        has_tax_identification_number=query_flag(query.get("has_tax_identification_number")),
        customer_type=customer_type,
        has_customer_type=has_type,
        metadata=tuple(
            (match[1], value)
            for name, value in query.multi_items()
            if (match := METADATA_KEY.fullmatch(name))
        ),
    )
