"""Charges in advance: what one event costs, on top of what was sold before it (metering §8, pricing §8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
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
    values: list[tuple[datetime, Fraction]] = field(default_factory=list)
    """When each event was, and what it added, in the order in which they were priced."""
    events: list[Event] = field(default_factory=list)
    precise_cents: Fraction = ZERO
    amount_cents: int = 0
    """What the fees of its events come to."""

    def side(self, u: Fraction) -> Side:
        return Side(u=u, values=in_time(self.values), precise_cents=self.precise_cents)


@dataclass(frozen=True, kw_only=True)
class Side:
    """Units, values and dynamic cents, with the event or without it."""

    u: Fraction
    values: tuple[Fraction, ...]
    """In the order of time, whenever they were priced (§5.6)."""
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
        sold.current += value
        b = max(sold.current - sold.highest, ZERO)
        sold.highest = max(sold.highest, sold.current)
        without = sold.side(carried + sold.current - b)
        sold.values.append((event.timestamp, value))
        sold.events.append(event)
        sold.precise_cents += Fraction(event.precise_total_amount_cents or 0)
        priced = sold.side(carried + sold.current)
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


def in_time(values: list[tuple[datetime, Fraction]]) -> tuple[Fraction, ...]:
    return tuple(value for _, value in sorted(values, key=lambda one: one[0]))


def difference(charge: Charge, properties: Properties, a: Side, b: Side, subunits: int) -> Fraction:
    """§8.3: the price with the event less the price without it; of tiers and packages, units below zero cost nothing.

    What sells no unit costs nothing (docs/decisions/0004), but what a dynamic event brings itself.
    """
    if a.u == b.u and charge.model != "dynamic":
        return ZERO
    return worth(charge, properties, a, a, subunits) - worth(charge, properties, b, a, subunits)


def worth(charge: Charge, properties: Properties, one: Side, with_event: Side, subunits: int) -> Fraction:
    """The price of a side; what is free of a percentage follows from the running totals with the event."""
    match charge.model:
        case "standard":
            return one.u * get(properties, "amount")
        case "graduated" | "graduated_percentage" if one.u < 0 or (one.u == 0 and one is not with_event):
            return ZERO
        case "graduated":
            return graduated(one.u, properties)
        case "graduated_percentage":
            return graduated_percentage(one.u, properties)
        case "package":
            return package(one.u, properties)
        case "dynamic":
            return max(one.precise_cents / subunits, ZERO) if one.u > 0 else ZERO
        case "percentage" if properties.get("per_transaction_min_amount") or properties.get(
            "per_transaction_max_amount"
        ):
            return percentage_of_each(one.values, properties)
        case "percentage":
            kind, count, values = charge.metric.aggregation, len(one.values), with_event.values
            return percentage_of(kind, one.u, count, values, properties, totals_of=with_event.u)
        case other:
            raise AssertionError(other)
