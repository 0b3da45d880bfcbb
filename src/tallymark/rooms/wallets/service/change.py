"""Change a wallet (wallets §2.4), and end it (§2.5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.api.key_values import check_metadata
from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, Problems
from tallymark.domain.exact import Fraction
from tallymark.jobs import agenda
from tallymark.jobs.activity import differences
from tallymark.jobs.agenda import Kind as Work
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoice_custom_sections.model import Owner
from tallymark.rooms.wallets.model import Limitations, Method, Rule, Status, Wallet, WalletInput
from tallymark.rooms.wallets.repository import rules as rule_rows
from tallymark.rooms.wallets.repository import wallets as repository
from tallymark.rooms.wallets.service import sections
from tallymark.rooms.wallets.service.announce import Event, News, announce
from tallymark.rooms.wallets.service.create import (
    bad_fee_types,
    check_bounds,
    check_expiration,
    find_entity,
    find_metrics,
    note_expiration,
    read_rules,
)
from tallymark.rooms.wallets.service.methods import check_method, method_ids
from tallymark.rooms.wallets.service.read import get_wallet, lock_wallet
from tallymark.rooms.wallets.service.rules import (
    RULES,
    Setting,
    end_rules,
    keeps_limits,
    logged_rules,
    note_rule,
    replace_rules,
)

CHANGEABLE = (
    "name", "expiration_at", "purchase_order_number", "paid_top_up_min_amount_cents", "paid_top_up_max_amount_cents",
)  # fmt: skip
"""What null clears."""

KEPT_WHEN_BLANK = ("code", "priority", "invoice_requires_successful_payment", "payment_method_type")
"""What null leaves as it is."""


async def update_wallet(tx: Tx, wallet: Wallet, asked: WalletInput, *, now: datetime) -> Wallet:
    """Change what is sent of a wallet, all or nothing. Raises `Invalid`, and `NotFound("billing_entity")`."""
    wallet = await lock_wallet(tx, wallet)
    if wallet.status is Status.TERMINATED:
        raise Invalid({"wallet_id": ["wallet_is_terminated"]})
    values = {name: value for name, value in asked.values.items() if name in CHANGEABLE}
    values |= {
        name: asked.values[name] for name in KEPT_WHEN_BLANK if asked.values.get(name) not in (None, "")
    }
    if "payment_method_type" in values:
        values["payment_method_id"] = asked.values.get("payment_method_id")
    setting = replace(_setting(wallet, values), method_ids=await method_ids(tx, wallet.customer_id))
    problems = Problems()
    await check_method(tx, problems, wallet.customer_id, values.get("payment_method_id"))
    check_expiration(problems, values, now=now)
    rules = read_rules(problems, asked, setting, now=now)
    metric_ids = await _check_limitations(tx, problems, asked.applies_to)
    problems.raise_any()
    if asked.names_entity:
        values["billing_entity_id"] = await find_entity(tx, asked)
    await _check_code(tx, wallet, values.get("code"))
    check_bounds({name: values.get(name, getattr(wallet, name)) for name in CHANGEABLE})
    if asked.metadata:
        values["metadata"] = check_metadata(
            {**(wallet.metadata or {}), **(check_metadata(asked.metadata) or {})}
        )
    values |= _more(wallet, asked)
    hung = await _hanging_on(tx, wallet, asked)
    await repository.update_wallet(tx, wallet.id, {**values, "updated_at": now})
    if metric_ids is not None and asked.applies_to and asked.applies_to.billable_metric_codes is not None:
        await repository.replace_targets(tx, wallet.id, metric_ids)
    await sections.choose(
        tx, Owner.WALLET, wallet.id, asked.sections, before=wallet.skip_invoice_custom_sections
    )
    changed = await get_wallet(tx, wallet.id)
    if asked.rules is not None:
        await replace_rules(tx, changed, rules, now=now)
    await _hold_rules(tx, changed, setting)
    await note_expiration(tx, changed)
    news = News(
        wallet=changed,
        before=wallet,
        more_changes=differences(hung, await _hanging_on(tx, changed, asked)),
        moves_reach=_reach(wallet) != _reach(changed),
    )
    await announce(tx, [news], now=now)
    return changed


async def _hanging_on(tx: Tx, wallet: Wallet, asked: WalletInput) -> Mapping[str, Any]:
    """Rules and sections as the log shows them, where a request names any."""
    if asked.rules is None and asked.sections is None:
        return {}
    chosen = await sections.sections_of(tx, Owner.WALLET, [wallet.id])
    return {
        RULES: (await logged_rules(tx, [wallet.id]))[wallet.id],
        **sections.codes_of(chosen.get(wallet.id, ())),
    }


def _setting(wallet: Wallet, values: dict[str, Any]) -> Setting:
    low, high = "paid_top_up_min_amount_cents", "paid_top_up_max_amount_cents"
    return Setting(
        credits=wallet.credits,
        least_cents=values.get(low, wallet.paid_top_up_min_amount_cents),
        most_cents=values.get(high, wallet.paid_top_up_max_amount_cents),
    )


async def _check_limitations(
    tx: Tx, problems: Problems, limits: Limitations | None
) -> Collection[UUID] | None:
    metric_ids = await find_metrics(tx, limits)
    if bad_fee_types(limits):
        problems.add("allowed_fee_types", "invalid_fee_types")
    if metric_ids is None:
        problems.add("billable_metrics", "invalid_identifier")
    return metric_ids


async def _check_code(tx: Tx, wallet: Wallet, code: str | None) -> None:
    if code is None or code == wallet.code:
        return
    if code in {other.code for other in await repository.active_of(tx, wallet.customer_id)}:
        raise Invalid({"code": ["value_already_exist"]})


def _more(wallet: Wallet, asked: WalletInput) -> dict[str, Any]:
    """Columns that do not carry the names of what is sent."""
    found: dict[str, Any] = {}
    if asked.applies_to is not None and asked.applies_to.fee_types is not None:
        found["fee_types"] = list(dict.fromkeys(asked.applies_to.fee_types))
    if asked.sections is not None:
        found["skip_invoice_custom_sections"] = sections.skips(
            asked.sections, before=wallet.skip_invoice_custom_sections
        )
    return found


async def _hold_rules(tx: Tx, wallet: Wallet, setting: Setting) -> None:
    """Refuse limits that a fixed rule breaks which is to stay. Raises `Invalid`."""
    for rule in await _active_rules(tx, wallet.id):
        is_held = rule.method is Method.FIXED and not rule.ignore_paid_top_up_limits
        if is_held and not keeps_limits(Fraction(rule.paid_credits), setting):
            raise Invalid({"recurring_transaction_rules": ["invalid_recurring_rule"]})


async def _active_rules(tx: Tx, wallet_id: UUID) -> list[Rule]:
    return (await rule_rows.active_of(tx, [wallet_id])).get(wallet_id, [])


def _reach(wallet: Wallet) -> tuple[Any, ...]:
    return wallet.code, wallet.priority, wallet.fee_types, tuple(wallet.billable_metrics)


async def terminate(tx: Tx, wallet: Wallet, *, now: datetime) -> Wallet:
    """End a wallet and its rules; its balance stays, and is never used again. Ending it twice changes nothing."""
    wallet = await lock_wallet(tx, wallet)
    if wallet.status is Status.ACTIVE:
        await _end(tx, wallet, at=now, now=now)
    return await get_wallet(tx, wallet.id)


async def expire(tx: Tx, wallet_ids: Sequence[UUID], *, at: datetime, now: datetime) -> None:
    """End those of these wallets whose time has come or whose customer is gone; needs the customers' locks (§2.5)."""
    found = await repository.get_wallets(tx, wallet_ids)
    owners = await customers.get_customers(tx, {wallet.customer_id for wallet in found.values()})
    for wallet in found.values():
        is_gone = owners[wallet.customer_id].deleted_at is not None
        if wallet.status is Status.ACTIVE and (is_gone or not wallet.lives_at(at)):
            await _end(tx, wallet, at=at, now=now)


async def _end(tx: Tx, wallet: Wallet, *, at: datetime, now: datetime) -> None:
    ended = {"status": Status.TERMINATED, "terminated_at": at, "updated_at": at}
    await repository.update_wallet(tx, wallet.id, ended)
    await agenda.drop(tx, Work.EXPIRE_WALLET, wallet.id)
    await end_rules(tx, [rule.id for rule in await _active_rules(tx, wallet.id)], at=at)
    gone = await get_wallet(tx, wallet.id)
    news = News(wallet=gone, event=Event.TERMINATED, before=wallet, moves_reach=True)
    await announce(tx, [news], now=now)


async def reschedule(tx: Tx, customer_id: UUID, *, now: datetime) -> None:
    """Note the rules of a customer anew: their time zone has changed."""
    wallets = await repository.active_of(tx, customer_id)
    of_wallets = await rule_rows.active_of(tx, [wallet.id for wallet in wallets]) if wallets else {}
    for wallet in wallets:
        for rule in of_wallets.get(wallet.id, ()):
            await note_rule(tx, wallet, rule, now=now)
