"""Recurring rules: read, kept as the full list that was sent, and noted for the day on which they act (wallets §8)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.exact import Fraction
from tallymark.domain.money import fixed, floor_to
from tallymark.domain.periods import Interval, local_date, start_of_day
from tallymark.domain.wallets import Credits, next_interval_day
from tallymark.jobs import agenda
from tallymark.jobs.activity import differences, shown
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoice_custom_sections.model import Owner
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.wallets.model import Method, Rule, RuleInput, SectionsInput, Status, Trigger, Wallet
from tallymark.rooms.wallets.repository import rules as repository
from tallymark.rooms.wallets.repository import transactions as transaction_rows
from tallymark.rooms.wallets.service import sections
from tallymark.rooms.wallets.service.amounts import MOST_RULE_PAIRS, pairs_error, parse_credits

ONE_DAY = timedelta(days=1)

RULES = "recurring_transaction_rules"
UNLOGGED = ("wallet_id", "status", "terminated_at", "created_at", "updated_at")
"""What the log leaves out of a rule: its wallet has it, or the entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a rule is read against: the wallet's rate and limits, and what it is filled with at first."""

    credits: Credits
    least_cents: int | None
    most_cents: int | None
    first_paid: Fraction | None = None
    first_granted: Fraction | None = None
    method_ids: Collection[UUID] = ()
    """The payment methods of the customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRule:
    """A rule that can be kept; `id` may name the one that it replaces."""

    id: UUID | None
    values: dict[str, Any]
    sections: SectionsInput | None


def read_rule(asked: RuleInput | None, setting: Setting, *, now: datetime) -> ReadRule | None:
    """A rule as it is kept, None for one that can't be. `setting.first_*` are copied where a fixed rule names no credits."""
    if asked is None or pairs_error(asked.transaction_metadata, most=MOST_RULE_PAIRS) is not None:
        return None
    figures = _figures(asked, setting)
    end = asked.values.get("expiration_at")
    if figures is None or (end is not None and end <= now):
        return None
    method_id = asked.values["payment_method_id"]
    if method_id is not None and method_id not in setting.method_ids:
        return None
    values = {
        **asked.values,
        **figures,
        "transaction_metadata": asked.transaction_metadata or [],
        "skip_invoice_custom_sections": sections.skips(asked.sections),
    }
    return ReadRule(id=asked.id, values=values, sections=asked.sections)


def _figures(asked: RuleInput, setting: Setting) -> dict[str, Any] | None:
    """Credits, threshold and target, as far as trigger and method have them; None where one is missing or out of place."""
    values = asked.values
    is_threshold, is_target = values["trigger"] is Trigger.THRESHOLD, values["method"] is Method.TARGET
    threshold = parse_credits(values["threshold_credits"]) if is_threshold else None
    target = parse_credits(values["target_ongoing_balance"]) if is_target else None
    credits = _credits(asked, setting)
    is_missing = (is_threshold and threshold is None) or (is_target and target is None) or credits is None
    if is_missing or (not is_threshold and values["interval"] is None):
        return None
    if threshold is not None and target is not None and target < threshold:
        return None
    if not is_target and values["grants_target_top_up"] is not None:
        return None
    assert credits is not None, "what is missing was sent back"
    paid, granted = credits
    if not is_target and not values["ignore_paid_top_up_limits"] and not keeps_limits(paid, setting):
        return None
    return {
        "interval": None if is_threshold else values["interval"],
        "threshold_credits": None if threshold is None else fixed(threshold, 5),
        "target_ongoing_balance": None if target is None else fixed(target, 5),
        "grants_target_top_up": bool(values["grants_target_top_up"]) if is_target else None,
        "paid_credits": fixed(floor_to(paid, 5), 5),
        "granted_credits": fixed(floor_to(granted, 5), 5),
    }


def _credits(asked: RuleInput, setting: Setting) -> tuple[Fraction, Fraction] | None:
    sent = (asked.paid_credits, asked.granted_credits)
    if sent == (None, None) and asked.values["method"] is Method.FIXED:
        return setting.first_paid or Fraction(0), setting.first_granted or Fraction(0)
    paid, granted = (Fraction(0) if one is None else parse_credits(one) for one in sent)
    return None if paid is None or granted is None else (paid, granted)


def keeps_limits(paid: Fraction | Decimal, setting: Setting) -> bool:
    """Whether a fixed rule buys what the wallet lets be bought at once."""
    cents = setting.credits.cents_of(Fraction(paid))
    least, most = setting.least_cents, setting.most_cents
    return not paid or ((least is None or cents >= least) and (most is None or cents <= most))


async def replace_rules(tx: Tx, wallet: Wallet, asked: Sequence[ReadRule], *, now: datetime) -> None:
    """Make a wallet's active rules the given ones: those that an id names are changed, others made, the rest ended."""
    known = {rule.id: rule for rule in (await repository.active_of(tx, [wallet.id])).get(wallet.id, ())}
    await end_rules(tx, [id_ for id_ in known if id_ not in {rule.id for rule in asked}], at=now)
    for rule in asked:
        before = known.get(rule.id) if rule.id is not None else None
        default = {"invoice_requires_successful_payment": wallet.invoice_requires_successful_payment}
        values = {**rule.values, "updated_at": now}
        if values["invoice_requires_successful_payment"] is None:
            values |= default
        if before is not None:
            skipped = before.skip_invoice_custom_sections
            values["skip_invoice_custom_sections"] = sections.skips(rule.sections, before=skipped)
            await repository.update_rule(tx, before.id, values)
            await sections.choose(tx, Owner.WALLET_RULE, before.id, rule.sections, before=skipped)
            rule_id = before.id
        else:
            rule_id = new_id()
            own = {"id": rule_id, "organization_id": tx.organization_id, "wallet_id": wallet.id}
            await repository.insert_rule(tx, {**own, "status": Status.ACTIVE, **values, "created_at": now})
            await sections.choose(tx, Owner.WALLET_RULE, rule_id, rule.sections)
        (kept,) = await repository.get_rules(tx, [rule_id])
        await note_rule(tx, wallet, kept, now=now)


async def end_rules(tx: Tx, rule_ids: Sequence[UUID], *, at: datetime) -> None:
    """End rules, and forget what they would have done."""
    if rule_ids:
        await repository.terminate(tx, rule_ids, at=at)
        await agenda.drop(tx, Kind.TOP_UP_WALLET, *rule_ids)
        await agenda.drop(tx, Kind.EXPIRE_RULE, *rule_ids)


async def expire_rules(tx: Tx, rule_ids: Sequence[UUID], *, at: datetime) -> None:
    """End those of these rules whose time has come; the log tells, for nobody outside hears of it."""
    over = [rule for rule in await repository.get_rules(tx, rule_ids) if not rule.lives_at(at)]
    wallet_ids = sorted({rule.wallet_id for rule in over})
    before = await logged_rules(tx, wallet_ids)
    await end_rules(tx, [rule.id for rule in over], at=at)
    after = await logged_rules(tx, wallet_ids)
    changed = {one: differences({RULES: before[one]}, {RULES: after[one]}) for one in wallet_ids}
    entries = [
        Message(activity_type="wallet.updated", object_type="wallet", object_id=one, changes=different)
        for one, different in changed.items()
        if different
    ]
    await emit(tx, *entries, now=at)


async def logged_rules(tx: Tx, wallet_ids: Collection[UUID]) -> dict[UUID, list[Mapping[str, Any]]]:
    """The active rules of wallets as the log shows them, with the codes of the sections that they select."""
    if not wallet_ids:
        return {}
    found = await repository.active_of(tx, wallet_ids)
    rule_ids = [rule.id for rules in found.values() for rule in rules]
    printed = await sections.sections_of(tx, Owner.WALLET_RULE, rule_ids)
    return {
        wallet_id: [
            {**shown(rule, without=UNLOGGED), **sections.codes_of(printed.get(rule.id, ()))}
            for rule in found.get(wallet_id, ())
        ]
        for wallet_id in wallet_ids
    }


async def note_rule(
    tx: Tx, wallet: Wallet, rule: Rule, *, now: datetime, fired_on: date | None = None
) -> None:
    """Note when a rule next fills its wallet, and when it ends."""
    if rule.expiration_at is None:
        await agenda.drop(tx, Kind.EXPIRE_RULE, rule.id)
    else:
        await agenda.put(tx, _item(Kind.EXPIRE_RULE, wallet, rule, rule.expiration_at))
    if rule.interval is None:
        await agenda.drop(tx, Kind.TOP_UP_WALLET, rule.id)
        return
    due_at = await _next_due(tx, wallet, rule, rule.interval, now=now, fired_on=fired_on)
    await agenda.put(tx, _item(Kind.TOP_UP_WALLET, wallet, rule, due_at))


def _item(kind: Kind, wallet: Wallet, rule: Rule, due_at: datetime) -> Item:
    return Item(kind=kind, subject_id=rule.id, owner_id=wallet.customer_id, due_at=due_at)


async def _next_due(
    tx: Tx, wallet: Wallet, rule: Rule, interval: Interval, *, now: datetime, fired_on: date | None
) -> datetime:
    """The start of the next matching day, later than the wallet's first and the last on which it was filled.

    On the anchor's own day it is the anchor. A rule that is made on a matching day still acts on it.
    """
    zone = await zone_of(tx, wallet)
    anchor_at = rule.started_at or wallet.created_at
    anchor = local_date(anchor_at, zone)
    after = max(local_date(wallet.created_at, zone), local_date(rule.created_at, zone) - ONE_DAY)
    last = fired_on or await transaction_rows.last_interval_day(tx, wallet.id)
    if last is not None:
        after = max(after, last)
    day = next_interval_day(interval, anchor, after=after)
    due_at = anchor_at if day == anchor else start_of_day(day, zone)
    return due_at if fired_on is not None else max(due_at, now)


async def zone_of(tx: Tx, wallet: Wallet) -> ZoneInfo:
    """The zone of a wallet's local days: its customer's."""
    customer = (await customers.get_customers(tx, {wallet.customer_id}))[wallet.customer_id]
    entities = await organizations.get_entities(tx, {customer.billing_entity_id})
    return ZoneInfo(customer.applicable_timezone(entities[customer.billing_entity_id]))
