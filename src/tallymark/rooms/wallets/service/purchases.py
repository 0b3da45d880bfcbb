"""What becomes of credits that were bought: invoiced, paid, not paid, refunded (wallets §5)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotAllowed
from tallymark.domain.periods import local_date
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.invoices import paying
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus
from tallymark.rooms.wallets.model import Kind, Settlement, Status, Transaction, Wallet
from tallymark.rooms.wallets.repository import transactions as repository
from tallymark.rooms.wallets.service.announce import announce_transactions
from tallymark.rooms.wallets.service.ledger import Terms, open_ledger
from tallymark.rooms.wallets.service.read import get_wallet

INVOICE_TYPE = "credit"


async def note_invoice(tx: Tx, transaction_id: UUID, invoice_id: UUID, *, now: datetime) -> None:
    """Note which invoice asks the money of a purchase."""
    await repository.note_invoice(tx, transaction_id, invoice_id, now=now)


async def purchase_of(tx: Tx, invoice_id: UUID) -> Transaction | None:
    """The purchase that a credit invoice is for."""
    return await repository.purchase_of(tx, invoice_id)


async def follow_payment(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Do what follows from an invoice's status and payment status; nothing for any but credit invoices (§5.5–5.7).

    Whoever has changed one of them calls it, with the customer's lock held: the credits of a paid invoice are settled,
    once, and an open one is issued. Where a credit note offset the money, or nobody can pay a void invoice any more, no
    credits are granted.
    """
    invoice = await invoices.find_invoice(tx, invoice_id)
    if invoice is None or invoice.invoice_type != INVOICE_TYPE:
        return
    purchase = await repository.purchase_of(tx, invoice.id)
    if purchase is None or purchase.status is Settlement.SETTLED:
        return
    is_void = invoice.status is InvoiceStatus.VOIDED
    if is_void or invoice.payment_status == "failed" or invoice.offset_amount_cents:
        await _fail(tx, purchase, now=now)
        return
    if invoice.payment_status != "succeeded":
        return
    wallet = await get_wallet(tx, purchase.wallet_id)
    ledger = await open_ledger(tx, [wallet], now=now)
    ledger.settle(purchase)
    await ledger.write(tx)
    if invoice.status is InvoiceStatus.OPEN:
        await _issue(tx, invoice, now=now)


async def _fail(tx: Tx, purchase: Transaction, *, now: datetime) -> None:
    if purchase.status is not Settlement.PENDING:
        return
    failed = {"id": purchase.id, "status": Settlement.FAILED, "failed_at": now, "updated_at": now}
    await repository.update_transactions(tx, [failed])
    await announce_transactions(tx, updated=[purchase.id], now=now)


async def _issue(tx: Tx, invoice: Invoice, *, now: datetime) -> None:
    """Issue an invoice that waited for its payment: it is of today, and due today."""
    (view,) = await invoices.get_views(tx, [invoice], now=now, with_lines=False)
    today = local_date(now, ZoneInfo(invoice.timezone))
    dates = {"issuing_date": today, "expected_finalization_date": today, "payment_due_date": today}
    await invoices.finalize(tx, [invoices.Settled(view=view, dates=dates)], now=now)
    await paying.mark_settled(tx, invoice.id, now=now)
    await tell_added(tx, invoice.id, now=now)


async def tell_added(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Tell that an invoice for credits was issued."""
    message = Message(webhook_type="invoice.paid_credit_added", object_type="invoice", object_id=invoice_id)
    await emit(tx, message, now=now)


async def refundable_cents(tx: Tx, invoice_id: UUID) -> int:
    """What a credit note may refund of a paid credit invoice: what is left of its purchase, in minor units (§5).

    Raises `NotAllowed("invalid_type_or_status")` where its wallet is not active any more.
    """
    purchase, _ = await _of_active_wallet(tx, invoice_id)
    return purchase.remaining_amount_cents or 0


async def refund(tx: Tx, invoice_id: UUID, cents: int, *, credit_note_id: UUID, now: datetime) -> None:
    """Void what a credit note refunds of a credit invoice, from exactly that purchase; needs the customer's lock (§5).

    Raises `Invalid` for more than is left of it, and `NotAllowed("invalid_type_or_status")`.
    """
    purchase, wallet = await _of_active_wallet(tx, invoice_id)
    if cents > (purchase.remaining_amount_cents or 0):
        raise Invalid({"amount_cents": ["higher_than_wallet_balance"]})
    if not cents:
        return
    ledger = await open_ledger(tx, [wallet], now=now)
    terms = Terms(billing_entity_id=purchase.billing_entity_id, credit_note_id=credit_note_id)
    ledger.take(wallet.id, cents, Kind.VOIDED, terms, only=purchase.id)
    await ledger.write(tx)


async def _of_active_wallet(tx: Tx, invoice_id: UUID) -> tuple[Transaction, Wallet]:
    purchase = await repository.purchase_of(tx, invoice_id)
    wallet = None if purchase is None else await get_wallet(tx, purchase.wallet_id)
    if purchase is None or wallet is None or wallet.status is not Status.ACTIVE:
        raise NotAllowed("invalid_type_or_status")
    return purchase, wallet
