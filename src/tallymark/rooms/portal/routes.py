"""The doors of the customer portal, and of the links that lead to it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from tallymark.api.context import Context, InContext
from tallymark.api.idempotency import in_parts
from tallymark.api.pagination import Meta, Page, read_page
from tallymark.api.routing import portal_router, tenant_router
from tallymark.api.wire import read_id
from tallymark.rooms.billing.paging import Pages
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoices import downloading
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Filters, InvoiceStatus
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.payment_providers.model import Abilities
from tallymark.rooms.portal import service
from tallymark.rooms.portal.links import PortalDoor
from tallymark.rooms.portal.model import INVOICES_A_PAGE, Balance, Visit
from tallymark.rooms.portal.schemas import (
    BalanceOutput,
    DayOutput,
    IssuerOutput,
    MeResponse,
    OwnRequest,
    PaymentPageResponse,
    PortalCustomerOutput,
    PortalFileOutput,
    PortalFileResponse,
    PortalInvoicesResponse,
    PortalSubscriptionOutput,
    PortalSubscriptionsResponse,
    PortalUrl,
    PortalUrlResponse,
    PortalUsageResponse,
    PortalWalletOutput,
    PortalWalletResponse,
    PortalWalletsResponse,
    TopUpOutput,
    TopUpPriceOutput,
    TopUpPriceResponse,
    TopUpRequest,
    TopUpResponse,
)
from tallymark.rooms.usage.projected_schemas import ProjectedUsageOutput
from tallymark.rooms.wallets import service as wallets

links_router = tenant_router("customers", resource="customer")
router = portal_router("portal")


@links_router.get("/customers/{external_id:path}/portal_url")
async def make_portal_url(external_id: str, request: Request, context: InContext) -> PortalUrlResponse:
    """A link to the customer's portal, for twelve hours: whoever has it sees what the customer sees."""
    door: PortalDoor = request.app.state.portal
    async with context.transaction() as tx:
        customer = await customers.get_customer(tx, external_id=external_id)
    visit = Visit(organization_id=context.organization_id, customer_id=customer.id)
    token = door.links.token(visit, at=system_now())
    url = f"{request.app.state.app_url}/customer-portal/{token}"
    return PortalUrlResponse(customer=PortalUrl(portal_url=url))


@router.get("/me")
async def get_me(request: Request, context: InContext) -> MeResponse:
    """Whose portal it is, who bills them, and what their invoices come to."""
    async with context.transaction() as tx:
        customer, entity = await service.get_customer(tx, _own(context))
        balances = await service.balances_of(tx, customer.id)
    return _me(customer, entity, balances, request, context)


@router.put("/me")
async def change_me(body: OwnRequest, request: Request, context: InContext) -> MeResponse:
    """Change what is sent of one's own billing details; invoices that are issued stay as they are."""
    async with context.transaction() as tx:
        values = body.customer.to_values()
        customer, entity = await service.change_customer(tx, _own(context), values, now=context.now)
        balances = await service.balances_of(tx, customer.id)
    return _me(customer, entity, balances, request, context)


@router.get("/subscriptions")
async def list_portal_subscriptions(context: InContext) -> PortalSubscriptionsResponse:
    """The subscriptions that are active or to come, the oldest first."""
    async with context.transaction() as tx:
        found = await service.subscriptions_of(tx, _own(context), now=context.now)
    return PortalSubscriptionsResponse(subscriptions=[PortalSubscriptionOutput.of(sold) for sold in found])


@router.get("/subscriptions/{lago_id}/usage")
async def get_portal_usage(lago_id: str, context: InContext) -> PortalUsageResponse:
    """What the running period of a subscription has come to, and will; without taxes, and day by day."""
    async with context.transaction() as tx:
        subscription_id = read_id(lago_id, "subscription")
        usage, days = await service.usage_of(tx, _own(context), subscription_id, now=context.now)
    return PortalUsageResponse(usage=ProjectedUsageOutput.of(usage), days=[DayOutput.of(day) for day in days])


@router.get("/wallets")
async def list_portal_wallets(context: InContext) -> PortalWalletsResponse:
    """The active wallets, in the order in which they pay."""
    async with context.transaction() as tx:
        found = await service.wallets_of(tx, _own(context))
    return PortalWalletsResponse(wallets=[PortalWalletOutput.of(wallet) for wallet in found])


@router.get("/wallets/{lago_id}")
async def get_portal_wallet(lago_id: str, context: InContext) -> PortalWalletResponse:
    """Read one of them."""
    async with context.transaction() as tx:
        wallet = await service.get_wallet(tx, _own(context), read_id(lago_id, "wallet"))
    return PortalWalletResponse(wallet=PortalWalletOutput.of(wallet))


@router.get("/wallets/{lago_id}/top_up_price")
async def price_top_up(lago_id: str, context: InContext, paid_credits: str = "") -> TopUpPriceResponse:
    """What credits would cost, before taxes; refused where they could not be bought."""
    async with context.transaction() as tx:
        wallet = await service.get_wallet(tx, _own(context), read_id(lago_id, "wallet"))
    cents = wallets.price_of(wallet, paid_credits or None)
    shown = TopUpPriceOutput(
        paid_credits=wallet.credits.of_cents(cents), amount_cents=cents, currency=wallet.currency
    )
    return TopUpPriceResponse(top_up_price=shown)


@router.post("/wallets/{lago_id}/top_ups")
async def top_up(lago_id: str, body: TopUpRequest, request: Request, context: InContext) -> TopUpResponse:
    """Buy credits: they are invoiced soon after, and in the wallet once the invoice is paid."""
    async with context.transaction() as tx:
        made, wallet = await service.buy_credits(
            tx, _own(context), read_id(lago_id, "wallet"), body.top_up.paid_credits, now=context.now
        )
        customer, _ = await service.get_customer(tx, _own(context))
        is_collected = await service.is_collected(tx, customer, wallet, _abilities(request, customer))
    is_paid_on_page = not is_collected and service.pays_on_pages(customer, _abilities(request, customer))
    return TopUpResponse(top_up=TopUpOutput.of(made, wallet, is_paid_on_page=is_paid_on_page))


@router.post("/wallet_transactions/{lago_id}/payment_url")
@in_parts
async def make_top_up_page(lago_id: str, request: Request, context: InContext) -> PaymentPageResponse:
    """A page on which credits that are being bought are paid, once they are invoiced."""
    transaction_id = read_id(lago_id, "wallet_transaction")
    async with context.transaction() as tx:
        await service.check_purchase(tx, _own(context), transaction_id)
    return PaymentPageResponse.of(await _pages(request).of_purchase(context, transaction_id))


@router.get("/invoices")
async def list_portal_invoices(
    context: InContext,
    page: Annotated[str | None, Query(description="Number of the page, from 1; each has 8.")] = None,
    search_term: Annotated[str | None, Query(description="A part of the number.")] = None,
) -> PortalInvoicesResponse:
    """The invoices that were issued, newest first."""
    asked = Page(number=read_page(page).number, size=INVOICES_A_PAGE)
    filters = Filters(customer_id=_own(context), statuses=(InvoiceStatus.FINALIZED,), search_term=search_term)
    async with context.transaction() as tx:
        found, total = await invoices.list_invoices(tx, filters, asked)
    return PortalInvoicesResponse.of(found, Meta.of(asked, total))


@router.post("/invoices/{lago_id}/download", response_model=PortalFileResponse)
@in_parts
async def download_portal_invoice(
    lago_id: str, request: Request, context: InContext
) -> PortalFileResponse | Response:
    """Links to an invoice's files, which are made now if they were not before."""
    view = await downloading.with_files(
        context, request.app.state.documents, read_id(lago_id, "invoice"), of_customer=_own(context)
    )
    invoice = view.invoice
    file_url = context.file_url(invoice.file_key)
    assert file_url is not None, "its file has just been made"
    shown = PortalFileOutput(
        lago_id=invoice.id,
        number=invoice.number,
        file_url=file_url,
        xml_url=context.file_url(invoice.xml_key),
    )
    return PortalFileResponse(invoice=shown)


@router.post("/invoices/{lago_id}/payment_url")
@in_parts
async def make_invoice_page(lago_id: str, request: Request, context: InContext) -> PaymentPageResponse:
    """A page on which an invoice is paid."""
    invoice_id = read_id(lago_id, "invoice")
    async with context.transaction() as tx:
        await service.check_invoice(tx, _own(context), invoice_id)
    return PaymentPageResponse.of(await _pages(request).of_invoice(context, invoice_id))


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def _abilities(request: Request, customer: Customer) -> Abilities | None:
    """What a customer's payment provider can be asked for."""
    adapter = _pages(request).adapters.get(customer.payment_provider or "")
    return adapter.abilities if adapter else None


def _own(context: Context) -> UUID:
    """Whose portal it is."""
    assert context.customer_id is not None, "a portal is a customer's"
    return context.customer_id


def _me(
    customer: Customer, entity: BillingEntity, balances: list[Balance], request: Request, context: Context
) -> MeResponse:
    return MeResponse(
        customer=PortalCustomerOutput.of(customer, entity),
        issuer=IssuerOutput.of(entity, context.file_url(entity.logo_key)),
        balances=[BalanceOutput.of(balance) for balance in balances],
        pays_on_pages=service.pays_on_pages(customer, _abilities(request, customer)),
    )
