"""Charges in advance: what one event costs, on top of what was sold before it (metering §8, pricing §8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from tests.oracle.arithmetic import SUBUNITS, ceil5
from tests.oracle.days import days
from tests.oracle.fees import Fee, money
from tests.oracle.life import Charge, Event, Properties
from tests.oracle.prices import (
    get,
    graduated,
    graduated_percentage,
    package,
    percentage_of,
    percentage_of_each,
)
from tests.oracle.records import Subscription
from tests.oracle.units import Window, bucket_of, candidates, group_of, number, operation, text

ZERO = Fraction(0)


@dataclass(kw_only=True)
class Sold:
    """What was priced in one window for one bucket and group."""

    current: Fraction = ZERO
    highest: Fraction = ZERO
    values: list[Fraction] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    precise_cents: Fraction = ZERO
    amount_cents: int = 0
    """What the fees of its events come to."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """Units, values and dynamic cents, with the event or without it."""

    u: Fraction
    values: tuple[Fraction, ...]
    precise_cents: Fraction


class Book:
    """All that was sold in advance, in the order in which it was priced (metering §8.2)."""

    def __init__(self) -> None:
        self._sold: dict[object, Sold] = {}

    def fee(
        self,
        one: Subscription,
        charge: Charge,
        event: Event,
        arrived: Iterable[Event],
        window: Window,
        currency: str,
    ) -> Fee:
        bucket = bucket_of(event, charge)
        properties = charge.properties if bucket is None else bucket.properties
        group = group_of(event, properties)
        place = None if bucket is None else charge.filters.index(bucket)
        sold = self._sold.setdefault((one.external_id, charge.code, place, group, window.start), Sold())
        history: list[Event] = []
        if charge.metric.recurring:
            history = [
                e
                for e in candidates(arrived, charge, one.external_id, window.start)
                if bucket_of(e, charge) is bucket and group_of(e, properties) == group
            ]
        carried, value = added(charge, event, history, sold)
        without = Side(u=carried + sold.highest, values=tuple(sold.values), precise_cents=sold.precise_cents)
        sold.current += value
        b = max(sold.current - sold.highest, ZERO)
        sold.highest = max(sold.highest, sold.current)
        sold.values.append(value)
        sold.events.append(event)
        sold.precise_cents += Fraction(event.precise_total_amount_cents or 0)
        priced = Side(u=carried + sold.highest, values=tuple(sold.values), precise_cents=sold.precise_cents)
        if charge.prorated:
            share = Fraction(days(event.timestamp, window.last, window.zone), window.duration)
            amount = ceil5(b * share) * get(properties, "amount")
        else:
            amount = difference(charge, properties, priced, without, SUBUNITS[currency])
        amount_cents, precise_cents, in_pricing_units = money(charge, max(amount, ZERO), currency)
        sold.amount_cents += amount_cents
        return Fee(
            kind="charge",
            subscription=one,
            code=charge.code,
            units=b if b else max(value, ZERO),
            amount_cents=amount_cents,
            precise_cents=precise_cents,
            count=1,
            filter=place,
            group=group,
            starts=window.first_day,
            metric=charge.metric.code,
            tax_codes=charge.tax_codes,
            pricing_unit_cents=in_pricing_units,
            stands_alone=not charge.invoiceable,
            regroups=charge.regroups,
            window_end=window.end,
        )


def added(charge: Charge, event: Event, history: list[Event], sold: Sold) -> tuple[Fraction, Fraction]:
    """§8.2: the units that the window began with, and those that the event adds, which may be less than none."""
    match charge.metric.aggregation:
        case "count_agg":
            return ZERO, Fraction(1)
        case "unique_count_agg":
            carried = Fraction(sum(is_there(history, value) for value in values_of(history)))
            told, known = text(event.properties.get("value")), [*history, *sold.events]
            return carried, Fraction(is_there([*known, event], told) - is_there(known, told))
    value = number(event)
    assert value is not None
    return sum((number(e) or ZERO for e in history), ZERO), value


def values_of(events: list[Event]) -> set[str | None]:
    return {text(event.properties.get("value")) for event in events} - {None}


def is_there(known: list[Event], value: str | None) -> bool:
    """What the last event of a distinct value says, in the order of time and then of arrival (docs/decisions/0004)."""
    of_value = [event for event in known if text(event.properties.get("value")) == value]
    return bool(of_value) and operation(max(reversed(of_value), key=lambda event: event.timestamp)) == "add"


def difference(charge: Charge, properties: Properties, a: Side, b: Side, subunits: int) -> Fraction:
    """§8.3: the price with the event less the price without it."""
    if charge.model.startswith("graduated") and a.u == b.u:
        return ZERO  # without units to sell, neither side has a flat amount
    match charge.model:
        case "standard":
            return (a.u - b.u) * get(properties, "amount")
        case "graduated":
            return graduated(a.u, properties) - (graduated(b.u, properties) if b.u else ZERO)
        case "graduated_percentage":
            return graduated_percentage(a.u, properties) - (
                graduated_percentage(b.u, properties) if b.u else ZERO
            )
        case "package":
            return package(a.u, properties) - package(b.u, properties)
        case "dynamic":
            return ((a.precise_cents if a.u else ZERO) - (b.precise_cents if b.u else ZERO)) / subunits
        case "percentage":
            if properties.get("per_transaction_min_amount") or properties.get("per_transaction_max_amount"):
                return percentage_of_each(a.values, properties) - percentage_of_each(b.values, properties)
            kind = charge.metric.aggregation
            return percentage_of(
                kind, a.u, len(a.values), a.values, properties, totals_of=a.u
            ) - percentage_of(kind, b.u, len(b.values), a.values, properties, totals_of=a.u)
        case other:
            raise AssertionError(other)
