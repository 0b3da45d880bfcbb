"""Pages on which a customer pays an invoice, or credits that they buy (wallets-and-payments §4.5, §11.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid
from tallymark.jobs.outbox import emit
from tallymark.rooms.billing.service.failures import NO_PAGE, payment_failure
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.collecting import can_be_collected
from tallymark.rooms.invoices.model import VISIBLE, Invoice
from tallymark.rooms.payment_providers import service as payment_providers
from tallymark.rooms.payment_providers.model import Connection, Link, Outcome, PaymentStatus
from tallymark.rooms.payment_providers.service import Vault
from tallymark.rooms.payments import service as payments
from tallymark.rooms.payments.service import PageWanted
from tallymark.rooms.wallets import service as wallets
from tallymark.rooms.wallets.model import Kind, Settlement

WITHOUT_PAGE = "gocardless"
"""The one kind of provider that has no page to pay on."""

WITHOUT_CUSTOMERS = ("cashfree", "flutterwave")
"""Kinds of provider whose pages anybody pays on: customers have no id there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Where an invoice is paid, and by whom; without an address, what which connection is to be asked for."""

    invoice_id: UUID
    customer: Customer
    url: str | None = None
    connection: Connection | None = None
    wanted: PageWanted | None = None


async def invoice_of_purchase(tx: Tx, transaction_id: UUID) -> UUID:
    """The invoice that asks the money of a purchase. Raises `NotFound("wallet_transaction")`, and `Invalid` in the order of §4.5."""
    purchase = await wallets.get_transaction(tx, transaction_id)
    if purchase.transaction_status is not Kind.PURCHASED:
        raise Invalid({"base": ["wallet_transaction_not_purchased"]})
    if purchase.status is Settlement.SETTLED:
        raise Invalid({"base": ["wallet_transaction_already_settled"]})
    if purchase.invoice_id is None:
        raise Invalid({"base": ["wallet_transaction_has_no_attached_invoice"]})
    return purchase.invoice_id


async def look_for_page(tx: Tx, invoice: Invoice, vault: Vault, *, now: datetime) -> Page:
    """The page that an invoice has, else what is to be asked for. Raises `Invalid` in the order of §11.4. Needs the customer's lock."""
    customer = (await customers.get_customers(tx, {invoice.customer_id}))[invoice.customer_id]
    connection = await _check(tx, invoice, customer, vault)
    payable = await payments.payable_invoice(tx, invoice)
    known = await payments.page_of(tx, payable, connection.id, now=now)
    if known is not None:
        return Page(invoice_id=invoice.id, customer=customer, url=known.url)
    wanted = await payments.order_page(tx, payable, connection.id, await customers.person_of(tx, customer))
    return Page(invoice_id=invoice.id, customer=customer, connection=connection, wanted=wanted)


async def _check(tx: Tx, invoice: Invoice, customer: Customer, vault: Vault) -> Connection:
    def refused(code: str) -> Invalid:
        return Invalid({"base": [code]})

    if customer.payment_provider is None:
        raise refused("no_linked_payment_provider")
    if customer.payment_provider == WITHOUT_PAGE:
        raise refused("invalid_payment_provider")
    if not can_be_collected(invoice):
        raise refused("invalid_invoice_status_or_payment_status")
    connection_id = customer.payment_provider_id
    connection = connection_id and await payment_providers.get_connection(tx, vault, connection_id)
    if not connection:
        raise refused("missing_payment_provider")
    if customer.provider_customer_id is None and customer.payment_provider not in WITHOUT_CUSTOMERS:
        raise refused("missing_payment_provider_customer")
    return connection


async def lock_invoice(tx: Tx, invoice_id: UUID, *, is_open: bool) -> Invoice:
    """An invoice as it is once nobody else works for its customer; with `is_open` one that nobody sees yet, too.

    Raises `NotFound("invoice")`.
    """
    get = _get_any if is_open else invoices.get_invoice
    await tx.lock("customer", (await get(tx, invoice_id)).customer_id)
    return await get(tx, invoice_id)


async def _get_any(tx: Tx, invoice_id: UUID) -> Invoice:
    return (await invoices.get_invoices(tx, [invoice_id]))[invoice_id]


async def keep_page(tx: Tx, invoice: Invoice, wanted: PageWanted, made: Link, *, now: datetime) -> str | None:
    """Keep a page that was made, and where it is; None where what is due has changed meanwhile. Needs the customer's lock."""
    payable = await payments.payable_invoice(tx, invoice)
    return await payments.keep_page(tx, payable, wanted, made, is_wanted=can_be_collected(invoice), now=now)


async def tell_refused(tx: Tx, page: Page, *, code: str | None, message: str, now: datetime) -> None:
    """Tell that a provider makes no page for an invoice."""
    invoice = await _get_any(tx, page.invoice_id)
    if invoice.status in VISIBLE:
        refusal = Outcome(
            payment_status=PaymentStatus.FAILED, status="refused", error_code=code, error_message=message
        )
        failure = payment_failure(invoice, page.customer, code=NO_PAGE, outcome=refusal)
        await emit(tx, failure, now=now)
