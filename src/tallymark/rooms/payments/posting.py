"""What payments post to the journal (decision 6)."""

from __future__ import annotations

from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.domain import journal
from tallymark.rooms.journal import service
from tallymark.rooms.journal.model import Cause, Document, DocumentType, Posting
from tallymark.rooms.payments.model import Payment


async def post_payment(tx: Tx, payment: Payment, *, now: datetime) -> None:
    """Post that money came in for invoices; the payment goes by its reference."""
    document = Document(
        type=DocumentType.PAYMENT,
        id=payment.id,
        number=payment.reference or str(payment.id),
        customer_id=payment.customer_id,
        currency=payment.currency,
    )
    posting = Posting(document=document, cause=Cause.PAID, lines=journal.pay_invoice(payment.amount_cents))
    await service.post(tx, [posting], now=now)
