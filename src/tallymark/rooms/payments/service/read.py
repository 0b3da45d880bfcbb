"""Read payments and receipts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.domain.errors import NotFound
from tallymark.jobs.mail import MailKind
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Files
from tallymark.rooms.organizations import mailing
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.payment_providers.model import PaymentStatus
from tallymark.rooms.payment_requests import service as requests
from tallymark.rooms.payments import repository
from tallymark.rooms.payments.model import (
    Filters,
    PaidPart,
    Payment,
    PaymentView,
    Receipt,
    ReceiptDocument,
    ReceiptView,
)


async def get_payment(tx: Tx, payment_id: UUID) -> Payment:
    """A payment of an invoice that is shown. Raises `NotFound("payment")`."""
    found = await get_payments(tx, [payment_id])
    if payment_id not in found:
        raise NotFound("payment")
    return found[payment_id]


async def get_payments(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Payment]:
    """Payments of invoices that are shown, by their ids; those that are not there are left out."""
    return await repository.shown_payments(tx, ids)


async def latest_collected(tx: Tx, invoice_id: UUID) -> Payment | None:
    """The payment by which a provider collects an invoice, or did or tried to last, alone or with others.

    Raises `NotFound("invoice")`.
    """
    invoice = await invoices.get_invoice(tx, invoice_id)
    return await repository.latest_of_provider(tx, invoice.id)


async def list_payments(tx: Tx, filters: Filters, page: Page) -> tuple[list[Payment], int]:
    """A page of payments, newest first, and how many there are."""
    return await repository.list_payments(tx, filters, page)


async def get_views(tx: Tx, payments: Sequence[Payment]) -> list[PaymentView]:
    """Payments with what they belong to, in the order given, in a constant number of queries."""
    who = await customers.get_customers(tx, {payment.customer_id for payment in payments})
    what = await invoices.get_invoices(tx, {one.invoice_id for one in payments if one.invoice_id})
    held = await requests.requested_by(
        tx, {one.payment_request_id for one in payments if one.payment_request_id}
    )
    return [
        PaymentView(
            payment=payment,
            customer=who[payment.customer_id],
            invoices=(what[payment.invoice_id],)
            if payment.invoice_id
            else tuple(one.invoice for one in held[payment.payable_id]),
        )
        for payment in payments
    ]


async def get_parts(tx: Tx, payment: Payment) -> list[PaidPart]:
    """The invoices of a payment in their order, and what it paid of each: nothing, as long as it has not succeeded."""
    is_paid = payment.payment_status == PaymentStatus.SUCCEEDED
    if payment.invoice_id is not None:
        invoice = (await invoices.get_invoices(tx, [payment.invoice_id]))[payment.invoice_id]
        return [PaidPart(invoice=invoice, amount_cents=payment.amount_cents if is_paid else 0)]
    held = (await requests.requested_by(tx, [payment.payable_id]))[payment.payable_id]
    return [
        PaidPart(invoice=one.invoice, amount_cents=one.paid_amount_cents if is_paid else 0) for one in held
    ]


async def get_receipt(tx: Tx, receipt_id: UUID) -> Receipt:
    """A receipt. Raises `NotFound("invoice")`: the wire calls it so (quirk)."""
    found = await get_receipts(tx, [receipt_id])
    if receipt_id not in found:
        raise NotFound("invoice")
    return found[receipt_id]


async def get_receipts(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Receipt]:
    """Receipts by their ids; those that are not there are left out."""
    return await repository.get_receipts(tx, ids)


async def get_document(tx: Tx, receipt: Receipt, *, now: datetime) -> ReceiptDocument:
    """All that a receipt prints, as it was when the payment was recorded."""
    payment = (await repository.get_payments(tx, [receipt.payment_id]))[receipt.payment_id]
    if payment.invoice_id is None:
        return await _document_of_request(tx, receipt, payment, now=now)
    invoice = (await invoices.get_invoices(tx, [payment.invoice_id]))[payment.invoice_id]
    (view,) = await invoices.get_views(tx, [invoice], now=now)
    return ReceiptDocument(
        receipt=receipt,
        payment=payment,
        invoice=view,
        paid_before_cents=await repository.paid_before(tx, payment),
        offsets=tuple(await repository.offsets_before(tx, payment)),
    )


async def _document_of_request(
    tx: Tx, receipt: Receipt, payment: Payment, *, now: datetime
) -> ReceiptDocument:
    paid = tuple(part for part in await get_parts(tx, payment) if part.amount_cents)
    (view,) = await invoices.get_views(tx, [paid[0].invoice], now=now)
    return ReceiptDocument(
        receipt=receipt,
        payment=payment,
        invoice=view,
        paid_before_cents=0,
        offsets=(),
        parts=paid,
    )


async def set_files(tx: Tx, receipt_id: UUID, files: Files, *, now: datetime) -> None:
    """Note where a receipt's documents are kept, and tell that they are there; the first ones stay."""
    if await repository.set_files(tx, receipt_id, pdf=files.pdf, xml=files.xml):
        message = Message(
            webhook_type="payment_receipt.generated", object_type="payment_receipt", object_id=receipt_id
        )
        await emit(tx, message, now=now)
        payment = await repository.get_payments(tx, [(await get_receipt(tx, receipt_id)).payment_id])
        (view,) = await get_views(tx, [*payment.values()])
        entity_id = view.invoices[0].billing_entity_id
        await mailing.note_if_wanted(tx, MailKind.RECEIPT, receipt_id, entity_id=entity_id, now=now)


async def list_receipts(tx: Tx, filters: Filters, page: Page) -> tuple[list[Receipt], int]:
    """A page of receipts, newest first, and how many there are. Raises `NotFound("billing_entity")` for an unknown code."""
    await organizations.check_entity_codes(tx, filters.billing_entity_codes)
    return await repository.list_receipts(tx, filters, page)


async def get_receipt_views(tx: Tx, receipts: Sequence[Receipt]) -> list[ReceiptView]:
    """Receipts with their payments, in the order given."""
    paid = await repository.get_payments(tx, [receipt.payment_id for receipt in receipts])
    views = await get_views(tx, [paid[receipt.payment_id] for receipt in receipts])
    return [ReceiptView(receipt=receipt, payment=view) for receipt, view in zip(receipts, views, strict=True)]
