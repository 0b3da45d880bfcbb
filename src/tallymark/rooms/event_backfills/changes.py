"""What a backfill changes: units and amounts of each period that is not on a final invoice, before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.api.wire import wire_instant
from tallymark.db.engine import Tx
from tallymark.domain.calendar import Window, current_charges_window
from tallymark.domain.exact import Fraction
from tallymark.domain.money import decimal_text
from tallymark.domain.values import value
from tallymark.rooms.adjustments.model import Rated
from tallymark.rooms.amendments.model import Adjusted
from tallymark.rooms.billable_metrics import service as billable_metrics
from tallymark.rooms.event_backfills.model import Backfill
from tallymark.rooms.events import service as events
from tallymark.rooms.events.model import FinalWindow
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.usage import service as usage

UNIT_DECIMALS = 10

PRICED_ONE_BY_ONE = 1_000
"""Up to how many added events charges in advance are told of: each of their events has a price of its own."""


@value
class Used:
    """What one charge comes to in a period: units, and minor units of the plan's currency."""

    units: Fraction
    amount_cents: int


@value
class PeriodUsage:
    """What the charges on a code come to in a period of a subscription, by charge."""

    contract: Contract
    window: Window
    by_charge: Mapping[UUID, Used]


async def gather_usage(tx: Tx, backfill: Backfill, *, now: datetime) -> list[PeriodUsage]:
    """Price the periods that a backfill touches and no final invoice has, the first one first."""
    scopes = await _scopes(tx, backfill, now=now)
    asked = [(scope, _charges_told(scope.contract, backfill)) for scope in scopes]
    found = []
    for scope, lines in zip(scopes, await usage.gather_all_charge_lines(tx, asked), strict=True):
        by_charge: dict[UUID, Used] = {}
        for line in await usage.with_billed(tx, scope, lines):
            known = by_charge.get(line.charge.id, Used(units=Fraction(0), amount_cents=0))
            by_charge[line.charge.id] = Used(
                units=known.units + line.fee.units,
                amount_cents=known.amount_cents + line.fee.amount_cents,
            )
        found.append(PeriodUsage(contract=scope.contract, window=scope.window, by_charge=by_charge))
    return found


def _charges_told(contract: Contract, backfill: Backfill) -> list[Charge]:
    """The charges on the code; those in advance only where each event can be priced by itself while somebody waits."""
    are_few = backfill.added_events_count <= PRICED_ONE_BY_ONE
    return [
        charge
        for charge in contract.plan.charges
        if charge.billable_metric.code == backfill.code and (are_few or not charge.pay_in_advance)
    ]


async def _scopes(tx: Tx, backfill: Backfill, *, now: datetime) -> list[usage.RatingScope]:
    external_id = backfill.external_subscription_id
    lives = (await subscriptions.started_of(tx, {external_id})).get(external_id, [])
    contracts = await subscriptions.get_contracts(tx, lives)
    finals = await events.final_windows(tx, contracts.keys())
    metric = await billable_metrics.find_metric(tx, code=backfill.code)
    # What carries over changes every period from there to the one that runs.
    ends = now if metric is not None and metric.has_history else backfill.ends
    scopes = []
    for contract in sorted(contracts.values(), key=lambda one: one.life.started_at):
        own = [final for final in finals if final.subscription_id == contract.subscription.id]
        windows = await _windows(tx, contract, own, backfill.starts, ends, now=now)
        scopes += [
            usage.RatingScope(contract=contract, window=window, taxes=usage.NO_TAXES) for window in windows
        ]
    return scopes


async def _windows(
    tx: Tx,
    contract: Contract,
    finals: Sequence[FinalWindow],
    starts: datetime,
    ends: datetime,
    *,
    now: datetime,
) -> list[Window]:
    """The windows of a subscription from an instant to another that are on no final invoice, up to the one that runs."""
    subscription = contract.subscription
    begins = [contract.life.started_at, starts, *(final.ends for final in finals)]
    if subscription.counts_from is not None:
        begins.append(subscription.counts_from)
    at, found = max(begins), list[Window]()
    last = subscription.usage_ends_at or max(now, contract.life.started_at)
    while at < ends and (at <= last if subscription.usage_ends_at is None else at < last):
        continuity = (await invoices.continuity_of(tx, [contract], at=at))[subscription.id]
        window = current_charges_window(contract.schedule, contract.life, at, continuity)
        found.append(window)
        if window.period.end <= at:
            break
        at = window.period.end
    return found


def billed_changes(adjusted: Adjusted | None, finals: Sequence[FinalWindow]) -> list[dict[str, Any]]:
    """What changed in periods on final invoices, as it is shown; the charges on the code only."""
    if adjusted is None:
        return []
    # What is billed event by event of the other periods is told with what runs.
    known = {(final.subscription_id, final.starts) for final in finals}
    usages = {one.usage.key: one.usage for one in adjusted.billed if one.usage.key in known}
    before: list[PeriodUsage] = []
    after: list[PeriodUsage] = []
    for key, billed in usages.items():
        charges = adjusted.charges_of(key)
        for found, rated in ((before, adjusted.before), (after, adjusted.after)):
            by_charge = {one.item.id: _used(rated[one.key].values()) for one in charges}
            found.append(PeriodUsage(contract=billed.contract, window=billed.window, by_charge=by_charge))
    return changes_between(before, after)


def _used(lines: Iterable[Rated]) -> Used:
    units, cents = Fraction(0), 0
    for line in lines:
        units, cents = units + line.units, cents + line.amount_cents
    return Used(units=units, amount_cents=cents)


def changes_between(before: Sequence[PeriodUsage], after: Sequence[PeriodUsage]) -> list[dict[str, Any]]:
    """What changed from one look at the same periods to the other, as it is shown."""
    return [
        {
            "lago_subscription_id": str(now.contract.subscription.id),
            "from_datetime": wire_instant(now.window.period.start),
            "to_datetime": wire_instant(now.window.period.end),
            "amount_currency": now.contract.plan.amount_currency,
            "amount_change_cents": sum(
                used.amount_cents - then.by_charge[charge_id].amount_cents
                for charge_id, used in now.by_charge.items()
            ),
            "charges": [
                _change(charge_id, then.by_charge[charge_id], used)
                for charge_id, used in now.by_charge.items()
            ],
        }
        for then, now in zip(before, after, strict=True)
    ]


def _change(charge_id: UUID, then: Used, now: Used) -> dict[str, Any]:
    return {
        "lago_charge_id": str(charge_id),
        "units_before": decimal_text(then.units, UNIT_DECIMALS),
        "units_after": decimal_text(now.units, UNIT_DECIMALS),
        "units_change": decimal_text(now.units - then.units, UNIT_DECIMALS),
        "amount_before_cents": then.amount_cents,
        "amount_after_cents": now.amount_cents,
        "amount_change_cents": now.amount_cents - then.amount_cents,
    }
