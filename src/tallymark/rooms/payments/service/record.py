"""Record a payment, write its receipt, and let the invoice know (wallets §10, §18)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Forbidden, Invalid, NotFound, Problems
from tallymark.domain.periods import parse_instant_of_any_zone
from tallymark.jobs.outbox import Message, emit
from tallymark.jobs.queue import RENDER_RECEIPT, Job, enqueue
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus
from tallymark.rooms.payment_requests import service as requests
from tallymark.rooms.payment_requests.model import PaymentRequest
from tallymark.rooms.payments import posting, repository
from tallymark.rooms.payments.model import LONGEST_REFERENCE, Payment, PaymentInput
from tallymark.rooms.payments.service.read import get_payment
from tallymark.rooms.settlements import service as settlements

PAYABLE = (InvoiceStatus.FINALIZED, InvoiceStatus.OPEN)
LARGEST = 2**63
ALREADY_SUCCEEDED = "payment_request_is_already_succeeded"


async def pay_by_hand(tx: Tx, asked: PaymentInput, *, now: datetime) -> Payment:
    """Record that an invoice was paid, in whole or in part, or a payment request as a whole.

    Raises in the order of wallets §10: `Invalid`, `NotFound`, `Forbidden("feature_unavailable")`, `Invalid`.
    """
    of_request = not _is_blank(asked.payment_request_id)
    if of_request and not _is_blank(asked.invoice_id):
        raise Invalid({"payment_request_id": ["value_must_be_blank"]})
    if not of_request and _is_blank(asked.invoice_id):
        raise Invalid({"invoice_id": ["value_is_mandatory"]})
    cents = asked.amount_cents
    if not isinstance(cents, int) or isinstance(cents, bool) or not 0 < cents < LARGEST:
        raise Invalid({"amount_cents": ["invalid_value"]})
    pay = _pay_request if of_request else _pay_invoice
    return await get_payment(tx, await pay(tx, asked, cents, now=now))


def _is_blank(value: object) -> bool:
    return value is None or not str(value).strip()


async def _pay_invoice(tx: Tx, asked: PaymentInput, cents: int, *, now: datetime) -> UUID:
    invoice = await _lock(tx, asked.invoice_id)
    if invoice.status not in PAYABLE and invoice.invoice_type != "advance_charges":
        raise Forbidden("feature_unavailable")
    paid_at = _paid_at(asked.paid_at) or now
    problems = Problems()
    if invoice.invoice_type == "credit" and cents != invoice.total_amount_cents:
        problems.add("amount_cents", "invalid_amount")
    if cents > invoice.total_due_amount_cents:
        problems.add("amount_cents", "value_is_out_of_range")
    if await requests.is_paid_with_others(tx, invoice.id):
        problems.add("base", ALREADY_SUCCEEDED)
    reference = _check_reference(asked.reference, problems)
    await settlements.pay(tx, invoice, cents, now=now)
    return await record_payment(tx, invoice, cents, reference=reference, paid_at=paid_at, now=now)


async def _pay_request(tx: Tx, asked: PaymentInput, cents: int, *, now: datetime) -> UUID:
    """Pay what is due of all invoices of a request: neither more nor less (§16)."""
    request = await _lock_request(tx, asked.payment_request_id)
    paid_at = _paid_at(asked.paid_at) or now
    held = (await requests.requested_by(tx, [request.id]))[request.id]
    due = {one.invoice.id: max(one.invoice.total_due_amount_cents, 0) for one in held}
    problems = Problems()
    if cents != sum(due.values()):
        problems.add(
            "amount_cents", "value_is_out_of_range" if cents > sum(due.values()) else "invalid_amount"
        )
    if request.payment_status == "succeeded":
        problems.add("base", ALREADY_SUCCEEDED)
    reference = _check_reference(asked.reference, problems)
    paid = {invoice_id: part for invoice_id, part in due.items() if part}
    for one in held:
        if one.invoice.id in paid:
            await settlements.pay(tx, one.invoice, paid[one.invoice.id], now=now)
    await requests.note_paid(tx, request, paid, now=now)
    money = _Money(cents, request.currency, reference, paid_at)
    payable = {"payment_request_id": request.id, "payable_type": "PaymentRequest"}
    return await _record(tx, request.customer_id, money, payable, now=now)


async def _lock_request(tx: Tx, request_id: object) -> PaymentRequest:
    try:
        wanted = UUID(str(request_id))
    except ValueError:
        raise NotFound("payment_request") from None
    found = await requests.get_request(tx, wanted)
    await tx.lock("customer", found.customer_id)
    return await requests.get_request(tx, wanted)


async def _lock(tx: Tx, invoice_id: object) -> Invoice:
    """The invoice as it is once nobody else works for its customer."""
    try:
        wanted = UUID(str(invoice_id))
    except ValueError:
        raise NotFound("invoice") from None
    found = await invoices.find_invoice(tx, wanted)
    if found is None or _waits_for_provider(found):
        raise NotFound("invoice")
    await tx.lock("customer", found.customer_id)
    invoice = await invoices.find_invoice(tx, wanted)
    assert invoice is not None, "invoices stay"
    return invoice


def _waits_for_provider(invoice: Invoice) -> bool:
    """Whether it is one that nobody knows of until a provider has collected it (subscriptions §2.10)."""
    return invoice.status is InvoiceStatus.OPEN and invoice.invoice_type != "credit"


def _paid_at(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        return parse_instant_of_any_zone(str(value))
    except ValueError:
        raise Invalid({"paid_at": ["invalid_date"]}) from None


def _check_reference(reference: object, problems: Problems) -> str:
    """The reference, if all is well. Raises `Invalid` with all that is not."""
    text = "" if reference is None else str(reference).replace("\x00", "").strip()
    if not text:
        problems.add("reference", "value_is_mandatory")
    if len(text) > LONGEST_REFERENCE:
        problems.add("reference", "value_is_too_long")
    problems.raise_any()
    return text


async def record_payment(
    tx: Tx, invoice: Invoice, cents: int, *, reference: str, paid_at: datetime, now: datetime
) -> UUID:
    """Write a payment by hand that succeeded, with its receipt; the invoice's own sums are left to the caller.

    Needs the customer's lock.
    """
    money = _Money(cents, invoice.currency, reference, paid_at)
    payable = {"invoice_id": invoice.id, "payable_type": "Invoice"}
    return await _record(tx, invoice.customer_id, money, payable, now=now)


@dataclass(frozen=True, slots=True)
class _Money:
    """What came in: minor units of a currency, what the payer wrote, and when."""

    cents: int
    currency: str
    reference: str
    paid_at: datetime


async def _record(
    tx: Tx, customer_id: UUID, money: _Money, payable: Mapping[str, Any], *, now: datetime
) -> UUID:
    payment_id = new_id()
    row = {
        "id": payment_id,
        "organization_id": tx.organization_id,
        "customer_id": customer_id,
        **payable,
        "payment_type": "manual",
        "status": "succeeded",
        "payment_status": "succeeded",
        "amount_cents": money.cents,
        "currency": money.currency,
        "reference": money.reference,
        "created_at": money.paid_at,
        "updated_at": now,
    }
    await repository.insert_payment(tx, row)
    payment = (await repository.get_payments(tx, [payment_id]))[payment_id]
    await note_came_in(tx, payment, now=now)
    return payment_id


async def note_came_in(tx: Tx, payment: Payment, *, now: datetime) -> None:
    """Post a payment that succeeded, and write its receipt."""
    await posting.post_payment(tx, payment, now=now)
    recorded = Message(activity_type="payment.recorded", object_type="payment", object_id=payment.id)
    await emit(tx, recorded, now=now)
    await _write_receipt(tx, payment, now=now)


async def _write_receipt(tx: Tx, payment: Payment, *, now: datetime) -> None:
    """One for every payment that succeeded; a partner writes their own (§18)."""
    customer = (await customers.get_customers(tx, {payment.customer_id}))[payment.customer_id]
    if customer.is_partner:
        return
    number = 1 + await repository.last_receipt_number(tx, customer.id)
    receipt_id = new_id()
    row = {
        "id": receipt_id,
        "organization_id": tx.organization_id,
        "customer_id": customer.id,
        "payment_id": payment.id,
        "sequential_id": number,
        "number": f"{customer.slug}-RCPT-{number:06d}",
        "created_at": now,
    }
    await repository.insert_receipt(tx, row)
    message = Message(
        webhook_type="payment_receipt.created", object_type="payment_receipt", object_id=receipt_id
    )
    await emit(tx, message, now=now)
    if not tx.is_simulated:
        arguments = {"organization_id": str(tx.organization_id), "receipt_id": str(receipt_id)}
        await enqueue(tx, Job(task=RENDER_RECEIPT, arguments=arguments, lock=f"document:{receipt_id}"))
