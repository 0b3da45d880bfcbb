"""Keep what usage will take of wallets, and have those filled that it takes to their threshold (wallets §7, §8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.wallets import TopUp, is_at_threshold, threshold_top_up
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item
from tallymark.jobs.agenda import Kind as Work
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.wallets.model import Rule, Settlement, Source, Transaction, Trigger, Wallet
from tallymark.rooms.wallets.repository import rules as rule_rows
from tallymark.rooms.wallets.repository import transactions as transaction_rows
from tallymark.rooms.wallets.repository import wallets as repository
from tallymark.rooms.wallets.service.fill import Firing, fill_by_rule

log = structlog.get_logger(__name__)

FIRES_AFTER = timedelta(seconds=2)
BACK_OFF = timedelta(hours=1)
"""How long nothing is bought by itself after such a purchase has failed."""

MANY = 3
MANY_WITHIN = timedelta(minutes=10)


async def active_of_customers(
    tx: Tx, customer_ids: Collection[UUID], *, at: datetime
) -> dict[UUID, list[Wallet]]:
    """The wallets of customers that are active and have not expired, each customer's in the order in which they pay."""
    found: dict[UUID, list[Wallet]] = defaultdict(list)
    for wallet in await repository.active_of_customers(tx, customer_ids) if customer_ids else ():
        if wallet.lives_at(at):
            found[wallet.customer_id].append(wallet)
    return found


async def threshold_rules(tx: Tx, wallet_ids: Collection[UUID], *, at: datetime) -> dict[UUID, Rule]:
    """The rule that fills a wallet at a threshold, where it has one."""
    rules = await rule_rows.active_of(tx, wallet_ids) if wallet_ids else {}
    return {
        wallet_id: rule
        for wallet_id, of_wallet in rules.items()
        for rule in reversed(of_wallet)
        if rule.trigger is Trigger.THRESHOLD and rule.lives_at(at)
    }


async def note_ongoing(
    tx: Tx, usage_cents: Sequence[tuple[Wallet, int]], rules: Mapping[UUID, Rule], *, now: datetime
) -> list[Wallet]:
    """Note what usage will take of wallets, in minor units: as they stand then, in the order given.

    Tells those that it depletes, and has those filled soon that are at their threshold. Needs the customers' locks.
    """
    fresh = [(wallet, _with_usage(wallet, cents, now)) for wallet, cents in usage_cents]
    names = ("id", "ongoing_usage_balance_cents", "ongoing_balance_cents", "depleted_ongoing_balance",
             "last_ongoing_balance_sync_at")  # fmt: skip
    await repository.update_wallets(tx, [{name: getattr(one, name) for name in names} for _, one in fresh])
    depleted = [
        Message(webhook_type="wallet.depleted_ongoing_balance", object_type="wallet", object_id=one.id)
        for before, one in fresh
        if one.depleted_ongoing_balance and not before.depleted_ongoing_balance
    ]
    await emit(tx, *depleted, now=now)
    moved = [(one, rules[one.id]) for before, one in fresh if one.id in rules and _has_moved(before, one)]
    await _note_firings(tx, moved, now=now)
    return [one for _, one in fresh]


def _with_usage(wallet: Wallet, cents: int, now: datetime) -> Wallet:
    left = wallet.balance_cents - cents
    return replace(
        wallet,
        ongoing_usage_balance_cents=cents,
        ongoing_balance_cents=left,
        depleted_ongoing_balance=left <= 0,
        last_ongoing_balance_sync_at=now,
    )


def _has_moved(before: Wallet, after: Wallet) -> bool:
    """Whether figures changed since the last look: by usage, or with the balance in the ledger."""
    looked_at, paid_at = before.last_ongoing_balance_sync_at, before.last_balance_sync_at
    by_ledger = paid_at is not None and (looked_at is None or paid_at > looked_at)
    figures = (before.ongoing_balance_cents, before.ongoing_usage_balance_cents)
    return by_ledger or figures != (after.ongoing_balance_cents, after.ongoing_usage_balance_cents)


async def _note_firings(tx: Tx, watched: Sequence[tuple[Wallet, Rule]], *, now: datetime) -> None:
    """Have those filled that are at their threshold: once, however often it is noticed until then."""
    due = await _due(tx, watched, now=now)
    items = [
        Item(
            kind=Work.TOP_UP_AT_THRESHOLD,
            subject_id=wallet.id,
            owner_id=wallet.customer_id,
            due_at=now + FIRES_AFTER,
        )
        for wallet, _, _ in due
    ]
    await agenda.put_once(tx, *items)


async def fill_at_threshold(tx: Tx, wallet_ids: Collection[UUID], *, now: datetime) -> None:
    """Buy and give what the rules of wallets add that are still at their threshold; needs the customers' locks."""
    wallets = await repository.get_wallets(tx, wallet_ids)
    rules = await threshold_rules(tx, wallet_ids, at=now)
    watched = [
        (wallets[wallet_id], rules[wallet_id])
        for wallet_id in wallet_ids
        if wallet_id in rules and wallets[wallet_id].lives_at(now)
    ]
    for wallet, rule, amounts in await _due(tx, watched, now=now):
        await fill_by_rule(tx, wallet, Firing(rule=rule, amounts=amounts, source=Source.THRESHOLD), now=now)


async def _due(
    tx: Tx, watched: Sequence[tuple[Wallet, Rule]], *, now: datetime
) -> list[tuple[Wallet, Rule, TopUp]]:
    """Those at their threshold, pending purchases counted, with what their rules add."""
    low = [
        (wallet, rule)
        for wallet, rule in watched
        if is_at_threshold(_threshold(rule), wallet.credits_ongoing_balance)
    ]
    purchases = await transaction_rows.purchases_of(tx, [wallet.id for wallet, _ in low]) if low else {}
    found = []
    for wallet, rule in low:
        bought = purchases.get(wallet.id, [])
        ongoing, pending = wallet.credits_ongoing_balance, _pending(wallet, bought)
        if not is_at_threshold(_threshold(rule), ongoing, pending):
            continue
        amounts = threshold_top_up(
            rule.terms, ongoing, wallet.limits, threshold=_threshold(rule), pending=pending
        )
        if amounts.is_nothing or (amounts.paid and _has_just_failed(bought, now)):
            continue
        _warn_of_many(wallet, bought, now)
        found.append((wallet, rule, amounts))
    return found


def _threshold(rule: Rule) -> Fraction:
    assert rule.threshold_credits is not None, "a rule of this trigger has a threshold"
    return Fraction(rule.threshold_credits)


def _pending(wallet: Wallet, purchases: Sequence[Transaction]) -> Fraction:
    """The credits that are bought and not paid for yet."""
    return sum(
        (one.credit_amount(wallet) for one in purchases if one.status is Settlement.PENDING), Fraction(0)
    )


def _has_just_failed(purchases: Sequence[Transaction], now: datetime) -> bool:
    """Whether a purchase at the threshold failed within the hour, and none was paid since."""
    failed = [
        one.failed_at
        for one in purchases
        if one.source is Source.THRESHOLD and one.failed_at is not None and one.failed_at > now - BACK_OFF
    ]
    paid = [one.settled_at for one in purchases if one.settled_at is not None]
    return bool(failed) and not any(at > max(failed) for at in paid)


def _warn_of_many(wallet: Wallet, purchases: Sequence[Transaction], now: datetime) -> None:
    recent = [
        one for one in purchases if one.source is Source.THRESHOLD and one.created_at > now - MANY_WITHIN
    ]
    if len(recent) >= MANY:
        log.warning("a wallet is filled again and again", wallet_id=str(wallet.id), purchases=len(recent))
