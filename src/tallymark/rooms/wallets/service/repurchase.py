"""Buy again what a void invoice had sold (invoicing §10.4, wallets §5, decision 49)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotAllowed, Problems
from tallymark.domain.exact import Fraction
from tallymark.rooms.invoice_custom_sections.model import Owner
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.wallets.model import Settlement, Transaction, Wallet
from tallymark.rooms.wallets.repository import transactions as transaction_rows
from tallymark.rooms.wallets.repository import wallets as wallet_rows
from tallymark.rooms.wallets.service import sections
from tallymark.rooms.wallets.service.amounts import MOST_CENTS, check_limits
from tallymark.rooms.wallets.service.ledger import Terms, open_ledger
from tallymark.rooms.wallets.service.read import get_wallet


@dataclass(frozen=True, slots=True)
class Repurchase:
    """The purchase of a void invoice, and the wallet that credits in its place go into."""

    replaced: Transaction
    wallet: Wallet

    @property
    def settled_cents(self) -> int:
        """What the void invoice's own purchase has brought in, in minor units: it stays (decision 49)."""
        return self.replaced.amount_cents if self.replaced.status is Settlement.SETTLED else 0

    def price_of(self, credits: Fraction | None) -> int:
        """What credits cost, in minor units; None is as much money as before.

        An amount that was agreed on for a wallet stays, whatever its limits are; any other is held to them. Raises `Invalid` for
        what can't be bought.
        """
        cents = self.replaced.amount_cents if credits is None else _worth(self.wallet, credits)
        if (self.wallet.id, cents) != (self.replaced.wallet_id, self.replaced.amount_cents):
            problems = Problems()
            least, most = self.wallet.paid_top_up_min_amount_cents, self.wallet.paid_top_up_max_amount_cents
            check_limits(problems, cents, least=least, most=most, field="units")
            problems.raise_any()
        return cents


async def plan_repurchase(tx: Tx, voided: Invoice, *, now: datetime) -> Repurchase:
    """Find where credits go that are bought in place of those of a void invoice.

    That is the same wallet; where it has ended, the one of the customer's in the invoice's currency that pays first. Raises
    `NotAllowed("not_regenerable")` for an invoice that is of no purchase, and `Invalid` where no wallet is left.
    """
    replaced = await transaction_rows.purchase_of(tx, voided.id)
    if replaced is None:
        raise NotAllowed("not_regenerable")
    own = await get_wallet(tx, replaced.wallet_id)
    for wallet in (own, *await wallet_rows.active_of(tx, own.customer_id)):
        if wallet.currency == voided.currency and wallet.lives_at(now):
            return Repurchase(replaced, wallet)
    raise Invalid({"wallet_id": ["wallet_is_terminated"]})


def _worth(wallet: Wallet, credits: Fraction) -> int:
    cents = wallet.credits.cents_of(credits)
    if not credits or cents >= MOST_CENTS:
        raise Invalid({"units": ["value_is_out_of_range"]})
    if not cents:
        raise Invalid({"units": ["amount_rounds_to_zero"]})
    return cents


async def repurchase(
    tx: Tx, planned: Repurchase, voided: Invoice, cents: int, *, name: str | None, now: datetime
) -> UUID:
    """Buy credits for an amount in minor units on the terms on which they were bought before, and return the purchase, which is not invoiced yet.

    A person has it done, whatever had bought them before; its invoice is issued at once, as the void one was. Needs the
    customer's lock.
    """
    before, wallet = planned.replaced, planned.wallet
    terms = Terms(
        name=name or before.name,
        priority=before.priority,
        metadata=before.metadata,
        billing_entity_id=voided.billing_entity_id,
        purchase_order_number=voided.purchase_order_number,
        invoice_requires_successful_payment=False,
        skip_invoice_custom_sections=before.skip_invoice_custom_sections,
        payment_method_type=before.payment_method_type,
        payment_method_id=before.payment_method_id,
    )
    ledger = await open_ledger(tx, [wallet], now=now)
    purchase_id = ledger.buy(wallet.id, cents, terms)
    await ledger.write(tx)
    await sections.copy(tx, Owner.WALLET_TRANSACTION, before.id, [purchase_id])
    return purchase_id
