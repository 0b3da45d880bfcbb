"""What payments post to the journal (decision 6)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain import journal
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.journal import service
from tallymark.rooms.journal.model import Cause, Document, DocumentType, Posting


async def post_payment(
    tx: Tx, invoice: Invoice, payment_id: UUID, cents: int, *, reference: str, now: datetime
) -> None:
    """Post that money came in for an invoice; the payment goes by its reference."""
    document = Document(
        type=DocumentType.PAYMENT,
        id=payment_id,
        number=reference,
        customer_id=invoice.customer_id,
        currency=invoice.currency,
    )
    posting = Posting(document=document, cause=Cause.PAID, lines=journal.pay_invoice(cents))
    await service.post(tx, [posting], now=now)
