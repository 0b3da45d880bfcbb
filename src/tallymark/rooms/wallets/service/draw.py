"""Wallets paying invoices that are about to be issued, and having it back when one is voided (wallets §5, §6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import FeeType
from tallymark.domain.wallets import Bucket, InvoicedAmount, allocate_wallets
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import PayableFee
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import NOTHING_WRITTEN, Invoice, InvoiceView, WrittenOf
from tallymark.rooms.wallets.model import Kind, Status, Wallet
from tallymark.rooms.wallets.repository import transactions as transaction_rows
from tallymark.rooms.wallets.repository import wallets as repository
from tallymark.rooms.wallets.service.ledger import Ledger, Taken, Terms, open_ledger


async def draw(
    tx: Tx, views: Sequence[InvoiceView], written: WrittenOf = NOTHING_WRITTEN, *, now: datetime
) -> list[InvoiceView]:
    """Have the customers' wallets pay invoices that are about to be issued, after all other deductions (§6).

    What that leaves of the invoices is returned, and written when they are issued. A wave of invoices takes the statements of
    one. Needs the customers' locks; an invoice that wallets have paid already is not drawn for again.
    """
    unissued = await invoices.unissued_columns(tx, views)
    owing = [v.invoice for v in views if v.invoice.total_amount_cents > 0 and v.invoice.id not in unissued]
    owners = {invoice.customer_id for invoice in owing}
    wallets = await repository.usable_of(tx, owners, at=now) if owing else []
    if not wallets:
        return list(views)
    for invoice in owing:
        assert not invoice.prepaid_credit_amount_cents, "already_applied"
    payable = {invoice_id: one.payable for invoice_id, one in written.items()}
    payable |= await fees.payable_of_invoices(tx, [one.id for one in owing if one.id not in written])
    ledger = await open_ledger(tx, wallets, now=now)
    drawn = _draw(ledger, owing, wallets, payable)
    await ledger.write(tx)
    return [replace(view, invoice=drawn.get(view.invoice.id, view.invoice)) for view in views]


async def foresee(
    tx: Tx, in_turn: Sequence[tuple[Invoice, Sequence[PayableFee]]], *, now: datetime
) -> list[Invoice]:
    """Invoices of a customer as wallets would leave them, one after the other: the same, and nothing is written (invoicing §10.5)."""
    owing = [invoice for invoice, _ in in_turn if invoice.total_amount_cents > 0]
    wallets = await repository.usable_of(tx, {one.customer_id for one in owing}, at=now) if owing else []
    ledger = await open_ledger(tx, wallets, now=now)
    drawn = _draw(ledger, owing, wallets, {invoice.id: payable for invoice, payable in in_turn})
    return [drawn.get(invoice.id, invoice) for invoice, _ in in_turn]


def _draw(
    ledger: Ledger,
    owing: Sequence[Invoice],
    wallets: Sequence[Wallet],
    payable: Mapping[UUID, Sequence[PayableFee]],
) -> dict[UUID, Invoice]:
    """The invoices that wallets pay something of, as they leave them; what that moves is in the ledger."""
    of_customers: dict[UUID, list[UUID]] = defaultdict(list)
    for wallet in wallets:
        of_customers[wallet.customer_id].append(wallet.id)
    drawn = {}
    for invoice in owing:
        standing = [ledger.wallet(wallet_id) for wallet_id in of_customers.get(invoice.customer_id, ())]
        taken = _take(ledger, invoice, _amounts(invoice, payable.get(invoice.id, ())), standing)
        if taken:
            drawn[invoice.id] = _less(invoice, taken)
    return drawn


def _amounts(invoice: Invoice, payable: Sequence[PayableFee]) -> list[InvoicedAmount]:
    """An invoice's fees as wallets see them; credit notes paid the same share of each (invoicing §5.5)."""
    before = invoice.total_amount_cents + invoice.credit_notes_amount_cents
    share = Fraction(invoice.credit_notes_amount_cents, before)
    return [
        InvoicedAmount(
            bucket=Bucket(FeeType(fee.fee_type), fee.billable_metric_id, fee.target_wallet_code),
            amount_cents=fee.amount_cents,
            coupons_cents=Fraction(fee.precise_coupons_amount_cents),
            taxes_cents=Fraction(fee.taxes_precise_amount_cents),
            credit_notes_cents=share
            * (fee.amount_cents - Fraction(fee.precise_coupons_amount_cents) + fee.taxes_amount_cents),
        )
        for fee in payable
    ]


def _take(
    ledger: Ledger, invoice: Invoice, amounts: Sequence[InvoicedAmount], wallets: Sequence[Wallet]
) -> list[Taken]:
    """Draw on wallets of the invoice's currency, which stand as earlier invoices of the wave leave them."""
    usable = [one for one in wallets if one.currency == invoice.currency and one.balance_cents]
    purses = [wallet.purse(wallet.balance_cents) for wallet in usable]
    return [
        ledger.take(
            usable[found.position].id,
            found.amount_cents,
            Kind.INVOICED,
            Terms(billing_entity_id=usable[found.position].billing_entity_id, invoice_id=invoice.id),
        )
        for found in allocate_wallets(invoice.total_amount_cents, amounts, purses)
    ]


def _less(invoice: Invoice, taken: Sequence[Taken]) -> Invoice:
    granted = sum(one.granted_cents for one in taken)
    purchased = sum(one.purchased_cents for one in taken)
    return replace(
        invoice,
        prepaid_credit_amount_cents=granted + purchased,
        prepaid_granted_credit_amount_cents=granted or None,
        prepaid_purchased_credit_amount_cents=purchased or None,
        total_amount_cents=invoice.total_amount_cents - granted - purchased,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What wallets have back of a void invoice, in minor units, and what of the grants that paid it none has back."""

    cents: int = 0
    lost_grants_cents: int = 0


async def give_back(tx: Tx, invoice_id: UUID, *, now: datetime) -> Returned:
    """Grant what an invoice took of wallets that are still active, to the cent; needs the customer's lock (§5)."""
    drawn = await transaction_rows.drawn_by(tx, invoice_id)
    if not drawn:
        return Returned()
    wallets = await repository.get_wallets(tx, {one.wallet_id for one in drawn})
    live = [wallet for wallet in wallets.values() if wallet.status is Status.ACTIVE]
    ledger = await open_ledger(tx, live, now=now)
    returned = [one for one in drawn if wallets[one.wallet_id].status is Status.ACTIVE]
    for one in returned:
        terms = Terms(billing_entity_id=one.billing_entity_id, voided_invoice_id=invoice_id)
        ledger.grant(one.wallet_id, one.amount_cents, terms, is_given_back=True)
    await ledger.write(tx)
    lost = await _grants_of(
        tx, [one.id for one in drawn if wallets[one.wallet_id].status is not Status.ACTIVE]
    )
    return Returned(cents=sum(one.amount_cents for one in returned), lost_grants_cents=lost)


async def _grants_of(tx: Tx, outbound_ids: Sequence[UUID]) -> int:
    """What of outbound transactions had been granted, in minor units."""
    parts = await transaction_rows.parts_of(tx, outbound_ids) if outbound_ids else {}
    return sum(
        cents
        for of_one in parts.values()
        for inbound, cents in of_one
        if inbound.transaction_status is Kind.GRANTED
    )


async def put_back(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Undo what wallets paid of an invoice that was never issued, purchased as granted; needs the customer's lock.

    A wallet that has ended meanwhile has it back, too: nobody can spend it there, as before.
    """
    drawn = await transaction_rows.drawn_by(tx, invoice_id)
    if not drawn:
        return
    parts = await transaction_rows.parts_of(tx, [one.id for one in drawn])
    wallets = await repository.get_wallets(tx, {one.wallet_id for one in drawn})
    ledger = await open_ledger(tx, list(wallets.values()), now=now)
    for one in drawn:
        ledger.put_back(one, parts.get(one.id, ()))
    await ledger.write(tx)
