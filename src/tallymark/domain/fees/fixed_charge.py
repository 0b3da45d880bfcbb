"""Fees of fixed charges: units that a subscription has, used or not (pricing §13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.charge_fee import fee_of_amount
from tallymark.domain.fees.model import JSON, Fee, FeeType, Step
from tallymark.domain.money import (
    Currency,
    exact_minor_units,
    major_units,
    plain_text,
    round_cents,
    round_half_away,
)
from tallymark.domain.periods import Period, local_date
from tallymark.domain.rating import Price, Rated, Usage

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitEvent:
    """From an instant on the subscription has so many units. The order of creation decides which event counts."""

    units: Fraction
    effective_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedWindow:
    """The window of a fixed charge; `full_days` is the length of its full period."""

    period: Period
    tz: ZoneInfo
    full_days: int


def units_in(events: Sequence[UnitEvent], window: FixedWindow, *, is_prorated: bool) -> Usage:
    """The units of a window, and of a prorated charge those that are priced (§13.2). `events` are in order of creation.

    >>> from datetime import UTC
    >>> april = FixedWindow(period=Period(datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)),
    ...     tz=ZoneInfo("UTC"), full_days=30)
    >>> first, later = april.period.start, datetime(2026, 4, 16, tzinfo=UTC)
    >>> events = [UnitEvent(units=Fraction(10), effective_at=first, created_at=first),
    ...     UnitEvent(units=Fraction(16), effective_at=later, created_at=later)]
    >>> usage = units_in(events, april, is_prorated=True)
    >>> usage.units, usage.full_units
    (Fraction(13, 1), Fraction(16, 1))
    """
    candidates = _candidates(events, window.period)
    full = candidates[-1].units if candidates else ZERO
    if not is_prorated:
        return Usage(units=full, events_count=0)
    kept = _in_time(candidates)
    starts = [_first_day(event, window) for event in kept]
    # There are none in a window that is over before its first units count.
    ends = [*starts[1:], local_date(window.period.last, window.tz) + timedelta(days=1)][: len(kept)]
    priced = sum(
        (
            max(ZERO, round_half_away(event.units * (end - start).days / window.full_days, 6))
            for event, start, end in zip(kept, starts, ends, strict=True)
        ),
        ZERO,
    )
    share = priced / full if full else ZERO
    return Usage(units=priced, full_units=full, events_count=0, changes=((full, share),))


def _candidates(events: Sequence[UnitEvent], period: Period) -> list[UnitEvent]:
    """Those of the period, and of those before it the last created; in the order of creation."""
    before = [index for index, event in enumerate(events) if event.effective_at < period.start]
    return [
        event
        for index, event in enumerate(events)
        if event.effective_at in period or (before and index == before[-1])
    ]


def _in_time(candidates: Sequence[UnitEvent]) -> list[UnitEvent]:
    """Without those that a later-created event of an earlier instant overtook."""
    return [
        event
        for index, event in enumerate(candidates)
        if all(later.effective_at >= event.effective_at for later in candidates[index + 1 :])
    ]


def _first_day(event: UnitEvent, window: FixedWindow) -> date:
    return local_date(max(event.effective_at, window.period.start), window.tz)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedChargeFacts:
    """What the fee of a fixed charge follows from. `credited_cents` was paid for the same days before an upgrade."""

    charge_model: str
    properties: Mapping[str, JSON]
    price: Price
    usage: Usage
    window: Step
    credited_cents: int = 0


def compute_fixed_charge_fee(facts: FixedChargeFacts, currency: Currency) -> Fee:
    """Price the units of a window (§13.2).

    >>> from tallymark.domain.money import currency
    >>> from tallymark.domain.rating import parse_price, ChargeModel
    >>> price = parse_price(ChargeModel.STANDARD, {"amount": "12.50"}, aggregation_type="sum_agg")
    >>> facts = FixedChargeFacts(charge_model="standard", properties={"amount": "12.50"}, price=price,
    ...     usage=Usage(units=Fraction(13), full_units=Fraction(16), events_count=0), window={})
    >>> compute_fixed_charge_fee(facts, currency("EUR")).amount_cents
    16250
    """
    rated = facts.price.rate(facts.usage, currency)
    steps = [facts.window, *_unit_steps(facts.usage), _pricing_step(facts, rated)]
    if not facts.credited_cents:
        return _fee(rated.amount, facts.usage.shown_units, rated, currency, steps)
    amount = max(rated.amount - major_units(facts.credited_cents, currency), ZERO)
    steps.append({"step": "credit", "amount_cents": facts.credited_cents, "amount": plain_text(amount, 20)})
    return _fee(amount, facts.usage.shown_units, rated, currency, steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChange:
    """Units of a charge in advance that changed within a period of which `billed` units have a fee already.

    `days` of `full_days` are left of the period where the charge is prorated; `is_first` tells that nothing of it was billed.
    """

    charge_model: str
    properties: Mapping[str, JSON]
    price: Price
    units: Fraction
    billed: Fraction
    is_first: bool
    days: int
    full_days: int
    window: Step


def compute_unit_change_fee(change: UnitChange, currency: Currency) -> Fee:
    """Price what units were added: what they come to now less what was billed, for the days left; never a refund (§13.3).

    Six more units at 12.50 for 15 of 30 days:

    >>> from tallymark.domain.money import currency
    >>> from tallymark.domain.rating import parse_price, ChargeModel
    >>> price = parse_price(ChargeModel.STANDARD, {"amount": "12.50"}, aggregation_type="sum_agg")
    >>> change = UnitChange(charge_model="standard", properties={}, price=price, units=Fraction(16),
    ...     billed=Fraction(10), is_first=False, days=15, full_days=30, window={})
    >>> compute_unit_change_fee(change, currency("EUR")).amount_cents
    3750
    """
    delta = change.units - change.billed
    share = Fraction(change.days, change.full_days)
    after = change.price.rate(Usage(units=change.units, events_count=0), currency).amount
    before = change.price.rate(Usage(units=change.billed, events_count=0), currency).amount
    before = ZERO if change.is_first else before
    added = max(after - before, ZERO) if delta > 0 else ZERO
    steps: list[Step] = [
        change.window,
        {
            "step": "units",
            "value": plain_text(change.units, 15),
            "billed": plain_text(change.billed, 15),
            "added": plain_text(max(delta, ZERO), 15),
        },
        {
            "step": "pricing",
            "charge_model": change.charge_model,
            "properties": dict(change.properties),
            "amount_of_units": plain_text(after, 20),
            "amount_of_billed": plain_text(before, 20),
            "amount": plain_text(added, 20),
        },
    ]
    if change.days != change.full_days:
        fraction = f"{change.days}/{change.full_days}"
        steps.append({"step": "proration", "fraction": fraction, "amount": plain_text(added * share, 20)})
    units = max(delta, ZERO)
    return _fee(added * share, units, None, currency, steps)


def upgrade_credit_cents(paid_cents: Fraction, *, new_days: int, paid_days: int) -> int:
    """The part of an earlier plan's fee that paid for the days of the new one, rounded to a cent (§13.3).

    >>> upgrade_credit_cents(Fraction(10000), new_days=21, paid_days=31)
    6774
    """
    return round_cents(paid_cents * new_days / paid_days) if paid_days > 0 else 0


def _fee(
    amount: Fraction, units: Fraction, rated: Rated | None, currency: Currency, steps: Sequence[Step]
) -> Fee:
    unit_amount = amount / units if units else ZERO
    fee = fee_of_amount(amount, unit_amount, currency, None)
    return replace(
        fee,
        fee_type=FeeType.FIXED_CHARGE,
        units=units,
        total_aggregated_units=units,
        events_count=None,
        precise_amount_cents=exact_minor_units(amount, currency),
        amount_details=rated.amount_details if rated else {},
        explanation=(*steps, *fee.explanation),
    )


def _unit_steps(usage: Usage) -> list[Step]:
    steps: list[Step] = [{"step": "units", "value": plain_text(usage.shown_units, 15)}]
    if usage.full_units is not None:
        steps.append(
            {
                "step": "proration",
                "rule": "round_to_6_decimals_per_change",
                "units": plain_text(usage.units, 15),
            }
        )
    return steps


def _pricing_step(facts: FixedChargeFacts, rated: Rated) -> Step:
    step: dict[str, JSON] = {
        "step": "pricing",
        "charge_model": facts.charge_model,
        "properties": dict(facts.properties),
    }
    if rated.lines:
        step["lines"] = [dict(line) for line in rated.lines]
    return {**step, "amount": plain_text(rated.amount, 20)}
