"""Fill a wallet: by its first load, by hand, or by a rule (wallets §2.3, §4.2, §8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, Problems
from tallymark.domain.exact import Fraction
from tallymark.domain.money import floor_to, round_half_away
from tallymark.domain.periods import local_date
from tallymark.domain.wallets import SHOWN_DECIMALS, TopUp, interval_top_up
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item
from tallymark.jobs.agenda import Kind as Work
from tallymark.rooms.invoice_custom_sections.model import Owner
from tallymark.rooms.wallets.model import (
    DEFAULT_PRIORITY,
    Direction,
    Kind,
    Method,
    Rule,
    Source,
    Status,
    Transaction,
    TransactionInput,
    Wallet,
)
from tallymark.rooms.wallets.repository import rules as rule_rows
from tallymark.rooms.wallets.repository import transactions as transaction_rows
from tallymark.rooms.wallets.service import rules, sections
from tallymark.rooms.wallets.service.amounts import MOST_CENTS, check_limits, read_credits, read_pairs, worth
from tallymark.rooms.wallets.service.ledger import Ledger, Terms, open_ledger
from tallymark.rooms.wallets.service.methods import check_method
from tallymark.rooms.wallets.service.read import find_transaction, find_wallet

LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be bought and given, in minor units."""

    paid_cents: int = 0
    granted_cents: int = 0


async def fill(tx: Tx, ledger: Ledger, wallet: Wallet, order: Order, terms: Terms) -> list[UUID]:
    """Buy and give, in this order; what comes to nothing makes nothing. What is bought is invoiced soon after.

    `ledger` is still to be written. The transactions' ids.
    """
    made = []
    if order.paid_cents:
        purchase_id = ledger.buy(wallet.id, order.paid_cents, terms)
        item = Item(
            kind=Work.INVOICE_CREDITS,
            subject_id=purchase_id,
            owner_id=wallet.customer_id,
            due_at=ledger.now,
        )
        await agenda.leave(tx, item)
        made.append(purchase_id)
    if order.granted_cents:
        made.append(ledger.grant(wallet.id, order.granted_cents, terms))
    return made


def terms_of(wallet: Wallet, **more: Any) -> Terms:
    """What the transactions of a wallet carry where nothing else is said."""
    return replace(
        Terms(
            billing_entity_id=wallet.billing_entity_id,
            purchase_order_number=wallet.purchase_order_number,
            invoice_requires_successful_payment=wallet.invoice_requires_successful_payment,
            payment_method_type=wallet.payment_method_type,
        ),
        **more,
    )


async def transact(tx: Tx, asked: TransactionInput, *, now: datetime) -> list[Transaction]:
    """Buy, give and void credits, in this order; the transactions that were made. Raises `Invalid` (§4.2)."""
    wallet = await _lock(tx, asked.wallet_id)
    checked = await _check(tx, wallet, asked)
    ledger = await open_ledger(tx, [wallet], now=now)
    made = await fill(tx, ledger, wallet, checked.order, checked.terms)
    made += _void(ledger, wallet, checked)
    await ledger.write(tx)
    for transaction_id in made:
        await sections.choose(tx, Owner.WALLET_TRANSACTION, transaction_id, asked.sections)
    found = await transaction_rows.get_transactions(tx, made)
    return [found[transaction_id] for transaction_id in made]


async def _lock(tx: Tx, wallet_id: str) -> Wallet:
    """The active wallet as it is once nobody else moves it. Raises `Invalid`."""
    try:
        wallet = await find_wallet(tx, UUID(wallet_id))
    except ValueError:
        wallet = None
    if wallet is None:
        raise Invalid({"wallet_id": ["wallet_not_found"]})
    await tx.lock("customer", wallet.customer_id)
    locked = await find_wallet(tx, wallet.id)
    assert locked is not None, "wallets are never deleted"
    if locked.status is Status.TERMINATED:
        raise Invalid({"wallet_id": ["wallet_is_terminated"]})
    return locked


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    order: Order
    terms: Terms
    voided: Fraction
    target: Transaction | None


async def _check(tx: Tx, wallet: Wallet, asked: TransactionInput) -> _Checked:
    problems = Problems()
    paid = read_credits(problems, "paid_credits", asked.paid_credits)
    granted = read_credits(problems, "granted_credits", asked.granted_credits)
    voided = read_credits(problems, "voided_credits", asked.voided_credits)
    order = read_order(problems, wallet, paid, granted, ignores_limits=asked.ignores_limits)
    if voided > max(wallet.credits_balance, _shown(wallet.credits_balance)):
        problems.add("voided_credits", "insufficient_credits")
    target = await _target(tx, problems, wallet, asked.voided_transaction_id)
    terms = _terms(problems, wallet, asked)
    await check_method(tx, problems, wallet.customer_id, asked.payment_method_id)
    problems.raise_any()
    if target is not None:
        _check_target(wallet, target, voided)
    return _Checked(order=order, terms=terms, voided=voided, target=target)


def read_order(
    problems: Problems, wallet: Wallet, paid: Fraction, granted: Fraction, *, ignores_limits: bool
) -> Order:
    """What credits come to, held to the wallet's limits; what can't be is a problem."""
    paid_cents = worth(problems, "paid_credits", paid, wallet.credits)
    granted_cents = worth(problems, "granted_credits", granted, wallet.credits)
    if wallet.balance_cents + granted_cents >= MOST_CENTS:
        problems.add("granted_credits", "invalid_granted_credits", "invalid_amount")
    if not ignores_limits:
        least, most = wallet.paid_top_up_min_amount_cents, wallet.paid_top_up_max_amount_cents
        check_limits(problems, paid_cents, least=least, most=most)
    return Order(paid_cents=paid_cents, granted_cents=granted_cents)


def price_of(wallet: Wallet, paid_credits: Any) -> int:
    """What credits cost to buy, in minor units. Raises `Invalid` for none at all, and for what breaks the wallet's limits."""
    problems = Problems()
    credits = read_credits(problems, "paid_credits", paid_credits)
    order = read_order(problems, wallet, credits, Fraction(0), ignores_limits=False)
    if not problems.any and not order.paid_cents:
        problems.add("paid_credits", "value_is_mandatory")
    problems.raise_any()
    return order.paid_cents


def _shown(credits: Fraction) -> Fraction:
    """Credits as the API shows them: what is shown can be voided."""
    return round_half_away(credits, SHOWN_DECIMALS)


async def _target(
    tx: Tx, problems: Problems, wallet: Wallet, transaction_id: str | None
) -> Transaction | None:
    """The inbound transaction that a void names."""
    if transaction_id is None:
        return None
    try:
        found = await find_transaction(tx, UUID(transaction_id))
    except ValueError:
        found = None
    if found is None or found.wallet_id != wallet.id or found.transaction_type is not Direction.INBOUND:
        problems.add("voided_transaction_id", "wallet_transaction_not_found")
    elif not found.remaining_amount_cents:
        problems.add("voided_transaction_id", "no_remaining_amount")
    return found


def _check_target(wallet: Wallet, target: Transaction, voided: Fraction) -> None:
    """Hold a void to what is left of the transaction that it names. Raises `Invalid`."""
    precise = wallet.credits.precise_cents_of(floor_to(voided, SHOWN_DECIMALS))
    taken = wallet.balance_cents - wallet.balance.less_precise(precise).cents
    if taken > (target.remaining_amount_cents or 0):
        raise Invalid({"amount_cents": ["exceeds_remaining_transaction_amount"]})


def _void(ledger: Ledger, wallet: Wallet, checked: _Checked) -> list[UUID]:
    target, terms = checked.target, checked.terms
    if target is not None:
        terms = replace(terms, billing_entity_id=target.billing_entity_id)
    only = target.id if target is not None else None
    if checked.voided:
        credits = floor_to(checked.voided, SHOWN_DECIMALS)
        return [ledger.void_credits(wallet.id, credits, terms, only=only).transaction_id]
    if target is not None:
        cents = target.remaining_amount_cents or 0
        return [ledger.take(wallet.id, cents, Kind.VOIDED, terms, only=only).transaction_id]
    return []


def _terms(problems: Problems, wallet: Wallet, asked: TransactionInput) -> Terms:
    name = asked.name
    if name is not None and not isinstance(name, str):
        problems.add("name", "invalid_value")
        name = None
    if name is not None and len(name) > LONGEST_NAME:
        problems.add("name", "too_long")
    priority = DEFAULT_PRIORITY if asked.priority is None else asked.priority
    if isinstance(priority, bool) or not isinstance(priority, int) or not 1 <= priority <= 50:
        problems.add("priority", "value_is_invalid")
        priority = DEFAULT_PRIORITY
    more: dict[str, Any] = {
        "name": name if name and name.strip() else None,
        "priority": priority,
        "metadata": read_pairs(problems, asked.metadata),
        "skip_invoice_custom_sections": sections.skips(asked.sections),
    }
    if asked.invoice_requires_successful_payment is not None:
        more["invoice_requires_successful_payment"] = asked.invoice_requires_successful_payment
    if asked.payment_method_type is not None:
        more["payment_method_type"] = asked.payment_method_type
        more["payment_method_id"] = asked.payment_method_id
    if asked.purchase_order_number is not None:
        more["purchase_order_number"] = asked.purchase_order_number
    return terms_of(wallet, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """What a rule adds, and why; `day` is the local day of an interval."""

    rule: Rule
    amounts: TopUp
    source: Source
    day: date | None = None


async def fill_by_rule(tx: Tx, wallet: Wallet, firing: Firing, *, now: datetime) -> list[UUID]:
    """Buy and give what a rule adds, with what the rule says of its transactions; needs the customer's lock.

    Where a fixed rule's purchase breaks the wallet's limits, nothing is made (§8). The transactions' ids.
    """
    rule, amounts = firing.rule, firing.amounts
    problems = Problems()
    ignores = rule.ignore_paid_top_up_limits or rule.method is Method.TARGET
    order = read_order(problems, wallet, amounts.paid, amounts.granted, ignores_limits=ignores)
    if problems.any:
        return []
    terms = terms_of(
        wallet,
        source=firing.source,
        name=rule.transaction_name,
        metadata=rule.transaction_metadata,
        purchase_order_number=rule.purchase_order_number or wallet.purchase_order_number,
        invoice_requires_successful_payment=rule.invoice_requires_successful_payment,
        skip_invoice_custom_sections=rule.skip_invoice_custom_sections,
        payment_method_type=rule.payment_method_type,
        payment_method_id=rule.payment_method_id,
        interval_day=firing.day,
    )
    ledger = await open_ledger(tx, [wallet], now=now)
    made = await fill(tx, ledger, wallet, order, terms)
    await ledger.write(tx)
    await sections.copy(tx, Owner.WALLET_RULE, rule.id, made)
    return made


async def fill_by_interval(tx: Tx, rule_ids: Sequence[UUID], *, due_at: datetime, now: datetime) -> None:
    """Fill wallets whose rule's day has come, and note the next one; needs the customers' locks (§8)."""
    for rule in await rule_rows.get_rules(tx, rule_ids):
        wallet = await find_wallet(tx, rule.wallet_id)
        assert wallet is not None, "a rule has a wallet"
        if not rule.lives_at(due_at) or not wallet.lives_at(due_at):
            continue
        day = local_date(due_at, await rules.zone_of(tx, wallet))
        amounts = interval_top_up(rule.terms, wallet.credits_ongoing_balance, wallet.limits)
        if not amounts.is_nothing and not await _is_filled(tx, wallet, day):
            firing = Firing(rule=rule, amounts=amounts, source=Source.INTERVAL, day=day)
            await fill_by_rule(tx, wallet, firing, now=now)
        await rules.note_rule(tx, wallet, rule, now=now, fired_on=day)


async def _is_filled(tx: Tx, wallet: Wallet, day: date) -> bool:
    last = await transaction_rows.last_interval_day(tx, wallet.id)
    return last is not None and last >= day
