"""By what purchases of credits are paid: what a transaction, its rule and its wallet say of it (wallets §11.2)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Problems
from tallymark.rooms.customers import service as customers
from tallymark.rooms.subscriptions.model import PaidBy
from tallymark.rooms.wallets.model import Rule, Source, Transaction, Wallet
from tallymark.rooms.wallets.repository import rules as rule_rows
from tallymark.rooms.wallets.repository import transactions as transaction_rows
from tallymark.rooms.wallets.service.read import get_wallet

OF_RULES = (Source.INTERVAL, Source.THRESHOLD)
"""Purchases that a rule made."""


async def paid_by(tx: Tx, invoice_id: UUID) -> list[PaidBy]:
    """What is said of how the purchase of a credit invoice is paid: by it, by the rule that made it, by its wallet; in this order."""
    purchase = await transaction_rows.purchase_of(tx, invoice_id)
    if purchase is None:
        return []
    wallet = await get_wallet(tx, purchase.wallet_id)
    active = (
        (await rule_rows.active_of(tx, [wallet.id])).get(wallet.id, []) if purchase.source in OF_RULES else []
    )
    return [_said(purchase), *(_said(rule) for rule in active[:1]), _said(wallet)]


def _said(of: Transaction | Rule | Wallet) -> PaidBy:
    return PaidBy(method_type=of.payment_method_type, method_id=of.payment_method_id)


async def check_method(tx: Tx, problems: Problems, customer_id: UUID, method_id: UUID | None) -> None:
    """Note a payment method that is not the customer's."""
    if method_id is not None and method_id not in await method_ids(tx, customer_id):
        problems.add("payment_method", "invalid_payment_method")


async def method_ids(tx: Tx, customer_id: UUID) -> Collection[UUID]:
    """The payment methods that a customer has."""
    return {method.id for method in await customers.payment_methods_of(tx, customer_id)}
