"""Make a wallet, all or nothing (wallets §2.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from tallymark.api.key_values import check_metadata
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound, Problems
from tallymark.domain.exact import Fraction
from tallymark.domain.money import currency
from tallymark.domain.wallets import Credits
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item
from tallymark.jobs.agenda import Kind as Work
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoice_custom_sections.model import Owner
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import ascii_words
from tallymark.rooms.wallets.model import (
    DEFAULT_PRIORITY,
    FEE_TYPES,
    FirstLoad,
    Limitations,
    Status,
    Wallet,
    WalletInput,
    WalletView,
)
from tallymark.rooms.wallets.repository import wallets as repository
from tallymark.rooms.wallets.service import sections
from tallymark.rooms.wallets.service.amounts import MOST_RULE_PAIRS, read_credits, read_pairs
from tallymark.rooms.wallets.service.announce import Event, News, announce
from tallymark.rooms.wallets.service.fill import fill, read_order, terms_of
from tallymark.rooms.wallets.service.ledger import Terms, open_ledger
from tallymark.rooms.wallets.service.methods import check_method, method_ids
from tallymark.rooms.wallets.service.read import get_wallet, view_of
from tallymark.rooms.wallets.service.rules import ReadRule, Setting, read_rule, replace_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    paid: Fraction
    granted: Fraction
    metadata: Any
    rules: list[ReadRule]
    metric_ids: Mapping[UUID, str]


async def create_wallet(
    tx: Tx, asked: WalletInput, load: FirstLoad, *, external_customer_id: str | None, now: datetime
) -> WalletView:
    """Make a wallet, and fill it: the answer is of the empty one.

    Raises `Invalid`, and `NotFound("billing_entity")`.
    """
    customer = await customers.find_customer(tx, external_id=external_customer_id or "")
    if customer is not None:
        await tx.lock("customer", customer.id)
    checked = await _check(tx, customer, asked, load, now=now)
    assert customer is not None, "an unknown customer was refused"
    entity_id = await find_entity(tx, asked)
    values = await _values(tx, customer, asked, now=now)
    wallet_id = values["id"]
    metadata = check_metadata(asked.metadata)
    await repository.insert_wallet(tx, {**values, "billing_entity_id": entity_id, "metadata": metadata})
    await repository.replace_targets(tx, wallet_id, checked.metric_ids)
    await customers.set_currency_if_blank(tx, customer, values["currency"], now=now)
    wallet = await get_wallet(tx, wallet_id)
    problems = Problems()
    order = read_order(problems, wallet, checked.paid, checked.granted, ignores_limits=load.ignores_limits)
    problems.raise_any()
    await sections.choose(tx, Owner.WALLET, wallet_id, asked.sections)
    await replace_rules(tx, wallet, checked.rules, now=now)
    await note_expiration(tx, wallet)
    empty = await view_of(tx, wallet)
    await announce(tx, [News(wallet=wallet, event=Event.CREATED, moves_reach=True)], now=now)
    ledger = await open_ledger(tx, [wallet], now=now)
    await fill(tx, ledger, wallet, order, _terms(wallet, load, checked))
    await ledger.write(tx)
    return empty


async def _check(
    tx: Tx, customer: Customer | None, asked: WalletInput, load: FirstLoad, *, now: datetime
) -> _Checked:
    """Collect what is wrong with the request as a whole (§2.3, step 1). Raises `Invalid`."""
    problems = Problems()
    if customer is None:
        problems.add("customer", "customer_not_found")
    elif len(await repository.active_of(tx, customer.id)) >= await _most_wallets(tx):
        problems.add("customer", "wallet_limit_reached")
    paid = read_credits(problems, "paid_credits", load.paid_credits)
    granted = read_credits(problems, "granted_credits", load.granted_credits)
    check_expiration(problems, asked.values, now=now)
    metadata = read_pairs(problems, load.metadata, most=MOST_RULE_PAIRS)
    metric_ids = await find_metrics(tx, asked.applies_to)
    if metric_ids is None or bad_fee_types(asked.applies_to):
        problems.add("applies_to", "invalid_limitations")
    setting = _setting(asked, customer, paid=paid, granted=granted)
    if customer is not None:
        await check_method(tx, problems, customer.id, asked.values.get("payment_method_id"))
        setting = setting and replace(setting, method_ids=await method_ids(tx, customer.id))
    rules = read_rules(problems, asked, setting, now=now)
    problems.raise_any()
    return _Checked(paid=paid, granted=granted, metadata=metadata, rules=rules, metric_ids=metric_ids or {})


async def _most_wallets(tx: Tx) -> int:
    return (await organizations.get_organization(tx)).max_wallets


def _setting(
    asked: WalletInput, customer: Customer | None, *, paid: Fraction, granted: Fraction
) -> Setting | None:
    """What rules are read against; None where there is no currency to count in."""
    code = asked.values.get("currency") or (customer.currency if customer else None)
    if code is None:
        return None
    return Setting(
        credits=Credits(Fraction(asked.values["rate_amount"]), currency(code)),
        least_cents=asked.values.get("paid_top_up_min_amount_cents"),
        most_cents=asked.values.get("paid_top_up_max_amount_cents"),
        first_paid=paid,
        first_granted=granted,
    )


def read_rules(
    problems: Problems, asked: WalletInput, setting: Setting | None, *, now: datetime
) -> list[ReadRule]:
    """The rules of a request: at most one, and one that can be kept."""
    if not asked.rules:
        return []
    if len(asked.rules) > 1:
        problems.add("recurring_transaction_rules", "invalid_number_of_recurring_rules")
        return []
    if setting is None:
        return []
    rule = read_rule(asked.rules[0], setting, now=now)
    if rule is None:
        problems.add("recurring_transaction_rules", "invalid_recurring_rule")
        return []
    return [rule]


def check_expiration(problems: Problems, values: Mapping[str, Any], *, now: datetime) -> None:
    """Let a wallet end in the future only."""
    ends_at = values.get("expiration_at")
    if ends_at is not None and ends_at <= now:
        problems.add("expiration_at", "invalid_date")


def bad_fee_types(limits: Limitations | None) -> bool:
    """Whether a limitation names a type that fees never have."""
    return limits is not None and any(name not in FEE_TYPES for name in limits.fee_types or ())


async def find_metrics(tx: Tx, limits: Limitations | None) -> dict[UUID, str] | None:
    """The metrics that a limitation names, by id; None where one is unknown, or no text."""
    codes = list(limits.billable_metric_codes or ()) if limits is not None else []
    if not all(isinstance(code, str) for code in codes):
        return None
    named = set(codes)
    if not named:
        return {}
    found = await repository.find_metrics(tx, named)
    return {id_: code for code, id_ in found.items()} if len(found) == len(named) else None


async def find_entity(tx: Tx, asked: WalletInput) -> UUID | None:
    """The billing entity that is named, None for the customer's own. Raises `NotFound("billing_entity")`."""
    if asked.billing_entity_code is not None:
        return (await organizations.get_entity(tx, code=asked.billing_entity_code)).id
    if asked.billing_entity_id is None:
        return None
    for entity in await organizations.list_entities(tx):
        if str(entity.id) == asked.billing_entity_id.lower():
            return entity.id
    raise NotFound("billing_entity")


async def _values(tx: Tx, customer: Customer, asked: WalletInput, *, now: datetime) -> dict[str, Any]:
    values = dict(asked.values)
    code = values.get("currency") or customer.currency
    if code is None:
        raise Invalid({"currency": ["value_is_invalid"]})
    check_bounds(values)
    own_code = await _code(tx, customer, values.get("code"), values.get("name"), now=now)
    return {
        "id": new_id(),
        "organization_id": tx.organization_id,
        "customer_id": customer.id,
        "status": Status.ACTIVE,
        **values,
        "currency": code,
        "code": own_code,
        "priority": values.get("priority") or DEFAULT_PRIORITY,
        "fee_types": list(dict.fromkeys((asked.applies_to and asked.applies_to.fee_types) or ())),
        "skip_invoice_custom_sections": sections.skips(asked.sections),
        "created_at": now,
        "updated_at": now,
    }


def check_bounds(values: Mapping[str, Any]) -> None:
    """Refuse a maximum below the minimum. Raises `Invalid`."""
    least, most = values.get("paid_top_up_min_amount_cents"), values.get("paid_top_up_max_amount_cents")
    if least is not None and most is not None and most < least:
        raise Invalid({"paid_top_up_max_amount_cents": ["must_be_greater_than_or_equal_min"]})


async def _code(tx: Tx, customer: Customer, asked: str | None, name: str | None, *, now: datetime) -> str:
    """The code that was asked for, else one made of the name. Raises `Invalid` for one that is taken."""
    taken = {wallet.code for wallet in await repository.active_of(tx, customer.id)}
    if asked:
        if asked in taken:
            raise Invalid({"code": ["value_already_exist"]})
        return asked
    code = "_".join(ascii_words(name or "")) or "default"
    return next(free for free in _codes_like(code, now=now) if free not in taken)


def _codes_like(code: str, *, now: datetime) -> Iterator[str]:
    """A code, else with the second in which it is made, else numbered: many wallets may be made in one second."""
    yield code
    dated = f"{code}_{int(now.timestamp())}"
    yield dated
    yield from (f"{dated}_{number}" for number in count(2))


def _terms(wallet: Wallet, load: FirstLoad, checked: _Checked) -> Terms:
    """What the first transactions carry: the rule's order number before the wallet's."""
    number = next((rule.values["purchase_order_number"] for rule in checked.rules), None)
    return terms_of(
        wallet,
        name=load.name,
        metadata=checked.metadata,
        priority=load.priority or DEFAULT_PRIORITY,
        purchase_order_number=number or wallet.purchase_order_number,
    )


async def note_expiration(tx: Tx, wallet: Wallet) -> None:
    """Note when a wallet ends."""
    if wallet.expiration_at is None:
        await agenda.drop(tx, Work.EXPIRE_WALLET, wallet.id)
        return
    item = Item(
        kind=Work.EXPIRE_WALLET,
        subject_id=wallet.id,
        owner_id=wallet.customer_id,
        due_at=wallet.expiration_at,
    )
    await agenda.put(tx, item)
