"""What a payment is for, as a provider is told of it: an invoice, or the invoices of a payment request (wallets-and-payments §11.3, §16)."""

from __future__ import annotations

from collections.abc import Sequence

from tallymark.db.engine import Tx
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.collecting import can_be_collected
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.payment_requests import service as requests
from tallymark.rooms.payment_requests.model import PaymentRequest
from tallymark.rooms.payments.model import Payable, Payment


async def payable_of(tx: Tx, payment: Payment) -> Payable:
    """What a payment is for."""
    if payment.invoice_id is not None:
        return await payable_invoice(
            tx, (await invoices.get_invoices(tx, [payment.invoice_id]))[payment.invoice_id]
        )
    return await payable_request(tx, await requests.get_request(tx, payment.payable_id))


async def payable_invoice(tx: Tx, invoice: Invoice) -> Payable:
    """An invoice, and what is due of it."""
    (payable,) = await payable_invoices(tx, [invoice])
    return payable


async def payable_invoices(tx: Tx, found: Sequence[Invoice]) -> list[Payable]:
    """Invoices, and what is due of each, in the order given."""
    entities = await organizations.get_entities(tx, {one.billing_entity_id for one in found})
    return [_payable_invoice(tx, one, entities[one.billing_entity_id]) for one in found]


def _payable_invoice(tx: Tx, invoice: Invoice, entity: BillingEntity) -> Payable:
    return Payable(
        type="Invoice",
        id=invoice.id,
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        due_cents=max(invoice.total_due_amount_cents, 0),
        title=invoice.number,
        reference=f"{entity.name} - Invoice {invoice.number}",
        metadata={
            "lago_invoice_id": str(invoice.id),
            "lago_customer_id": str(invoice.customer_id),
            "invoice_issuing_date": invoice.issuing_date.isoformat(),
            "invoice_type": invoice.invoice_type,
            "lago_payable_id": str(invoice.id),
            "lago_payable_type": "Invoice",
            "lago_organization_id": str(tx.organization_id),
            "lago_billing_entity_id": str(invoice.billing_entity_id),
        },
    )


async def payable_request(tx: Tx, request: PaymentRequest) -> Payable:
    """A payment request, and what is due of its invoices by now that can be collected."""
    entity = (await organizations.get_entities(tx, {request.billing_entity_id}))[request.billing_entity_id]
    held = (await requests.requested_by(tx, [request.id]))[request.id]
    title = "Overdue invoices" if len(held) > 1 else f"Overdue invoices: {held[0].invoice.number}"
    return Payable(
        type="PaymentRequest",
        id=request.id,
        customer_id=request.customer_id,
        currency=request.currency,
        due_cents=sum(one.invoice.total_due_amount_cents for one in held if can_be_collected(one.invoice)),
        title=title,
        reference=f"{entity.name} - {title}",
        metadata={
            "lago_payable_id": str(request.id),
            "lago_payable_type": "PaymentRequest",
            "lago_customer_id": str(request.customer_id),
            "lago_organization_id": str(tx.organization_id),
            "lago_billing_entity_id": str(request.billing_entity_id),
        },
    )
