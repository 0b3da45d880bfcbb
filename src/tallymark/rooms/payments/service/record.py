"""Record a payment, write its receipt, and let the invoice know (wallets §10, §18)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Forbidden, Invalid, NotFound, Problems
from tallymark.jobs.outbox import Message, emit
from tallymark.jobs.queue import RENDER_RECEIPT, Job, enqueue
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus
from tallymark.rooms.payments import posting, repository
from tallymark.rooms.payments.model import LONGEST_REFERENCE, Payment, PaymentInput
from tallymark.rooms.payments.service.read import get_payment
from tallymark.rooms.settlements import service as settlements

PAYABLE = (InvoiceStatus.FINALIZED, InvoiceStatus.OPEN)
LARGEST = 2**63


async def pay_by_hand(tx: Tx, asked: PaymentInput, *, now: datetime) -> Payment:
    """Record that an invoice was paid, in whole or in part; when nothing is due any more, it is paid.

    Raises in the order of wallets §10: `Invalid`, `NotFound("invoice")`, `Forbidden("feature_unavailable")`, `Invalid`.
    """
    if asked.invoice_id is None or not str(asked.invoice_id).strip():
        raise Invalid({"invoice_id": ["value_is_mandatory"]})
    cents = asked.amount_cents
    if not isinstance(cents, int) or isinstance(cents, bool) or not 0 < cents < LARGEST:
        raise Invalid({"amount_cents": ["invalid_value"]})
    invoice = await _lock(tx, asked.invoice_id)
    if invoice.status not in PAYABLE and invoice.invoice_type != "advance_charges":
        raise Forbidden("feature_unavailable")
    paid_at = _paid_at(asked.paid_at) or now
    reference = _check(invoice, cents, asked.reference)
    await settlements.pay(tx, invoice, cents, now=now)
    payment_id = await record_payment(tx, invoice, cents, reference=reference, paid_at=paid_at, now=now)
    return await get_payment(tx, payment_id)


async def _lock(tx: Tx, invoice_id: object) -> Invoice:
    """The invoice as it is once nobody else works for its customer."""
    try:
        wanted = UUID(str(invoice_id))
    except ValueError:
        raise NotFound("invoice") from None
    found = await invoices.find_invoice(tx, wanted)
    if found is None:
        raise NotFound("invoice")
    await tx.lock("customer", found.customer_id)
    invoice = await invoices.find_invoice(tx, wanted)
    assert invoice is not None, "invoices stay"
    return invoice


def _paid_at(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        parsed = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise Invalid({"paid_at": ["invalid_date"]}) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _check(invoice: Invoice, cents: int, reference: object) -> str:
    """The reference, if all is well. Raises `Invalid` with all that is not."""
    problems = Problems()
    if invoice.invoice_type == "credit" and cents != invoice.total_amount_cents:
        problems.add("amount_cents", "invalid_amount")
    if cents > invoice.total_due_amount_cents:
        problems.add("amount_cents", "value_is_out_of_range")
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
    payment_id = new_id()
    row = {
        "id": payment_id,
        "organization_id": tx.organization_id,
        "customer_id": invoice.customer_id,
        "invoice_id": invoice.id,
        "payable_type": "Invoice",
        "payment_type": "manual",
        "status": "succeeded",
        "payment_status": "succeeded",
        "amount_cents": cents,
        "currency": invoice.currency,
        "reference": reference,
        "created_at": paid_at,
        "updated_at": now,
    }
    await repository.insert_payment(tx, row)
    await posting.post_payment(tx, invoice, payment_id, cents, reference=reference, now=now)
    await _write_receipt(tx, invoice, payment_id, now=now)
    return payment_id


async def _write_receipt(tx: Tx, invoice: Invoice, payment_id: UUID, *, now: datetime) -> None:
    """One for every payment that succeeded; a partner writes their own (§18)."""
    customer = (await customers.get_customers(tx, {invoice.customer_id}))[invoice.customer_id]
    if customer.is_partner:
        return
    number = 1 + await repository.last_receipt_number(tx, customer.id)
    receipt_id = new_id()
    row = {
        "id": receipt_id,
        "organization_id": tx.organization_id,
        "customer_id": customer.id,
        "payment_id": payment_id,
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
