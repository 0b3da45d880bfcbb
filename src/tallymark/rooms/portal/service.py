"""What a customer sees of themselves, and what they change (platform §8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import NotAllowed, NotFound
from tallymark.domain.periods import local_date
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.customers.service import CustomerInput
from tallymark.rooms.daily_usages import series
from tallymark.rooms.daily_usages.model import DayOfPeriod
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import InvoiceStatus
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.payment_providers.model import Abilities
from tallymark.rooms.portal import repository
from tallymark.rooms.portal.model import Balance, Sold
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract, Status, Subscription
from tallymark.rooms.usage import service as usage
from tallymark.rooms.usage.model import CurrentUsage, Question
from tallymark.rooms.wallets import service as wallets
from tallymark.rooms.wallets.model import Transaction, TransactionInput, Wallet


async def get_customer(tx: Tx, customer_id: UUID) -> tuple[Customer, BillingEntity]:
    """Whose portal it is, and who bills them."""
    customer = (await customers.get_customers(tx, {customer_id}))[customer_id]
    entities = await organizations.get_entities(tx, {customer.billing_entity_id})
    return customer, entities[customer.billing_entity_id]


async def balances_of(tx: Tx, customer_id: UUID) -> list[Balance]:
    """What a customer's issued invoices come to, by currency."""
    return await repository.balances_of(tx, customer_id)


async def change_customer(
    tx: Tx, customer_id: UUID, values: Mapping[str, Any], *, now: datetime
) -> tuple[Customer, BillingEntity]:
    """Change what a customer may change of themselves; their automatic tax follows. `values` are columns."""
    customer, _ = await get_customer(tx, customer_id)
    asked = CustomerInput(external_id=customer.external_id, values=values)
    await customers.upsert(tx, asked, check_allowed=lambda _: None, now=now)
    return await get_customer(tx, customer_id)


async def subscriptions_of(tx: Tx, customer_id: UUID, *, now: datetime) -> list[Sold]:
    """A customer's subscriptions that are active or to come, the oldest first."""
    found = await subscriptions.live_of_customer(tx, customer_id)
    contracts = await subscriptions.get_contracts(tx, found)
    successors = {
        one.previous_subscription_id: contracts[one.id].plan
        for one in found
        if one.status is Status.PENDING and one.previous_subscription_id in contracts
    }
    shown = []
    for one in found:
        after = successors.get(one.id)
        before = contracts.get(one.previous_subscription_id) if one.previous_subscription_id else None
        shown.append(
            _sold(contracts[one.id], before, next_plan=after.invoice_name if after else None, now=now)
        )
    return shown


def _sold(contract: Contract, before: Contract | None, *, next_plan: str | None, now: datetime) -> Sold:
    """A subscription with its next day; one that waits for the end of another's period begins when that would renew."""
    one, zone = contract.subscription, contract.timezone
    starts = renews = ends = None
    if one.status is Status.PENDING:
        switch = subscriptions.downgrade_day(before, now=now) if before else None
        starts = switch or local_date(one.subscription_at, zone)
    else:
        cycle = contract.schedule.cycle()
        renews = cycle.next_start(cycle.period_start(local_date(now, zone)))
        if one.ending_at is not None and (last := local_date(one.ending_at, zone)) <= renews:
            renews, ends = None, last
    return Sold(contract=contract, starts_on=starts, renews_on=renews, ends_on=ends, next_plan=next_plan)


async def usage_of(
    tx: Tx, customer_id: UUID, subscription_id: UUID, *, now: datetime
) -> tuple[CurrentUsage, Sequence[DayOfPeriod]]:
    """What a subscription has used of its running period and what that will come to, without taxes, and its days.

    Raises `NotFound("subscription")`, and `NotAllowed("no_active_subscription")` for one that has not begun.
    """
    one = await _subscription(tx, customer_id, subscription_id)
    if one.status is not Status.ACTIVE:
        raise NotAllowed("no_active_subscription")
    customer, _ = await get_customer(tx, customer_id)
    asked = Question(
        external_customer_id=customer.external_id,
        external_subscription_id=one.external_id,
        with_taxes=False,
    )
    found = await usage.get_projected_usage(tx, asked, now=now)
    return found, await series.days_of(tx, found, now=now)


async def _subscription(tx: Tx, customer_id: UUID, subscription_id: UUID) -> Subscription:
    for one in await subscriptions.live_of_customer(tx, customer_id):
        if one.id == subscription_id:
            return one
    raise NotFound("subscription")


async def wallets_of(tx: Tx, customer_id: UUID) -> list[Wallet]:
    """A customer's active wallets, in the order in which they pay."""
    return await wallets.active_wallets(tx, customer_id)


async def get_wallet(tx: Tx, customer_id: UUID, wallet_id: UUID) -> Wallet:
    """One of them. Raises `NotFound("wallet")`."""
    for wallet in await wallets_of(tx, customer_id):
        if wallet.id == wallet_id:
            return wallet
    raise NotFound("wallet")


async def buy_credits(
    tx: Tx, customer_id: UUID, wallet_id: UUID, paid_credits: Any, *, now: datetime
) -> tuple[Transaction, Wallet]:
    """Buy credits: they are invoiced soon after, and there once that is paid.

    Raises `NotFound("wallet")`, and `Invalid` for what is no number of credits or beyond the wallet's limits.
    """
    wallet = await get_wallet(tx, customer_id, wallet_id)
    wallets.price_of(wallet, paid_credits)
    asked = TransactionInput(wallet_id=str(wallet.id), paid_credits=paid_credits)
    (made,) = await wallets.transact(tx, asked, now=now)
    return made, wallet


def pays_on_pages(customer: Customer, abilities: Abilities | None) -> bool:
    """Whether a customer can pay on pages of the provider that they are linked to; `abilities` are its kind's.

    Where methods are saved, a customer pays on a page once they are known there: at Adyen by having left one (§11.4).
    """
    if customer.payment_provider_id is None or abilities is None or not abilities.has_pages:
        return False
    return customer.provider_customer_id is not None or not abilities.saves_methods


async def is_collected(tx: Tx, customer: Customer, wallet: Wallet, abilities: Abilities | None) -> bool:
    """Whether what is bought for a wallet is collected without the customer, who is not to pay it a second time."""
    if abilities is None or not abilities.charges or wallet.payment_method_type == "manual":
        return False
    return wallet.payment_method_id is not None or customer.id in await customers.default_methods(
        tx, [customer.id]
    )


async def check_invoice(tx: Tx, customer_id: UUID, invoice_id: UUID) -> None:
    """See that an issued invoice is the customer's. Raises `NotFound("invoice")`."""
    invoice = await invoices.get_invoice(tx, invoice_id)
    if invoice.customer_id != customer_id or invoice.status is not InvoiceStatus.FINALIZED:
        raise NotFound("invoice")


async def check_purchase(tx: Tx, customer_id: UUID, transaction_id: UUID) -> None:
    """See that credits are bought for a wallet of the customer's. Raises `NotFound("wallet_transaction")`."""
    found = await wallets.get_transaction(tx, transaction_id)
    if all(wallet.id != found.wallet_id for wallet in await wallets_of(tx, customer_id)):
        raise NotFound("wallet_transaction")
