"""What invoices post to the journal (decision 6)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain import journal
from tallymark.domain.fees.model import FeeType
from tallymark.domain.journal import IssuedInvoice, Lines, VoidedInvoice
from tallymark.domain.values import value
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.journal import service
from tallymark.rooms.journal.model import Cause, Document, DocumentType, Posting


async def post_issued(
    tx: Tx, invoices: Sequence[tuple[Invoice, Mapping[FeeType, int]]], *, now: datetime
) -> None:
    """Post invoices as they are issued, a whole wave at once; each comes with the sums of its fees by type."""
    postings = []
    for invoice, fee_cents in invoices:
        issued = IssuedInvoice(
            fee_cents=fee_cents,
            progressive_credit_cents=invoice.progressive_billing_credit_amount_cents,
            coupons_cents=invoice.coupons_amount_cents,
            taxes_cents=invoice.taxes_amount_cents,
            credit_notes_cents=invoice.credit_notes_amount_cents,
            granted_cents=invoice.prepaid_granted_credit_amount_cents or 0,
            purchased_cents=invoice.prepaid_purchased_credit_amount_cents or 0,
            total_cents=invoice.total_amount_cents,
        )
        postings.append(_posting(invoice, Cause.ISSUED, journal.issue_invoice(issued)))
    await service.post(tx, postings, now=now)


async def post_lost_dispute(tx: Tx, invoice: Invoice, *, now: datetime) -> None:
    """Post that what was paid of an invoice is gone."""
    lines = journal.lose_dispute(invoice.total_paid_amount_cents)
    await service.post(tx, [_posting(invoice, Cause.DISPUTE_LOST, lines)], now=now)


@value
class Returned:
    """What became of what had paid a void invoice, in minor units: grants that go back to no wallet are lost."""

    to_notes_cents: int = 0
    to_wallets_cents: int = 0
    lost_grants_cents: int = 0


async def post_voided(
    tx: Tx,
    invoice: Invoice,
    *,
    document_ids: Collection[UUID],
    returned: Returned,
    now: datetime,
) -> None:
    """Post that an invoice, given as it was before, is void. `document_ids` are its notes, which stay, and its purchase."""
    voided = VoidedInvoice(
        booked_cents=await service.booked(tx, [invoice.id, *document_ids]),
        due_cents=invoice.total_due_amount_cents,
        credit_notes_cents=invoice.credit_notes_amount_cents,
        returned_to_notes_cents=returned.to_notes_cents,
        returned_to_wallets_cents=returned.to_wallets_cents,
        lost_grants_cents=returned.lost_grants_cents,
        is_dispute_lost=invoice.payment_dispute_lost_at is not None,
    )
    await service.post(tx, [_posting(invoice, Cause.VOIDED, journal.void_invoice(voided))], now=now)


def _posting(invoice: Invoice, cause: Cause, lines: Lines) -> Posting:
    document = Document(
        type=DocumentType.INVOICE,
        id=invoice.id,
        number=invoice.number,
        customer_id=invoice.customer_id,
        currency=invoice.currency,
    )
    return Posting(document=document, cause=cause, lines=lines)
