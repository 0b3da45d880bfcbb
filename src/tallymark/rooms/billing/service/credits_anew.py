"""Sell anew what a void invoice of credits had sold (invoicing §10.4, wallets §5, decision 49)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, element
from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing import compute_invoice
from tallymark.rooms.billing.model import Foreseen, ForeseenCredits, KeptFee
from tallymark.rooms.billing.service import credits
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.wallets import service as wallets
from tallymark.rooms.wallets.service import Repurchase


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What is to be sold in place of the fee of a void invoice."""

    voided: Invoice
    fee: FeeRecord
    planned: Repurchase
    cents: int
    name: str | None


async def plan(tx: Tx, voided: Invoice, fee: FeeRecord, asked: KeptFee, *, now: datetime) -> Sale:
    """What is to be sold of what is asked: other credits may be, at the wallet's rate alone.

    Raises what `wallets.plan_repurchase` does, and `Invalid`.
    """
    planned = await wallets.plan_repurchase(tx, voided, now=now)
    with element("fees", 0):
        cents = planned.price_of(asked.units)
        if asked.unit_amount not in (None, Fraction(planned.wallet.rate_amount)):
            raise Invalid({"unit_precise_amount": ["value_is_invalid"]})
    return Sale(voided=voided, fee=fee, planned=planned, cents=cents, name=asked.invoice_display_name)


async def sell(tx: Tx, sale: Sale, *, now: datetime) -> UUID:
    """Buy the credits and invoice them at once; they count when that invoice is paid, as any that are bought."""
    purchase_id = await wallets.repurchase(tx, sale.planned, sale.voided, sale.cents, name=sale.name, now=now)
    in_place_of = credits.InPlaceOf(sale.voided, sale.fee)
    made = await credits.issue(tx, purchase_id, in_place_of=in_place_of, now=now)
    assert made is not None, "it was bought just now"
    return made


def foresee(sale: Sale) -> Foreseen:
    """What `sell` would issue."""
    planned = sale.planned
    totals = compute_invoice([credits.fee_of(planned.wallet, sale.cents)])
    return Foreseen(
        fees={sale.fee.id: sale.cents},
        currency=sale.voided.currency,
        totals=totals,
        credits=ForeseenCredits(
            wallet_id=planned.wallet.id,
            wallet_name=planned.wallet.name,
            wallet_code=planned.wallet.code,
            is_moved=planned.wallet.id != planned.replaced.wallet_id,
            rate=Fraction(planned.wallet.rate_amount),
            credits=planned.wallet.credits.of_cents(sale.cents),
            settled_cents=planned.settled_cents,
        ),
    )
