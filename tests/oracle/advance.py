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
from tests.oracle.units import Window, bucket_of, candidates, group_of, number

ZERO = Fraction(0)


@dataclass(kw_only=True)
class Sold:
    """What was priced in one window for one bucket and group."""

    current: Fraction = ZERO
    highest: Fraction = ZERO
    values: list[Fraction] = field(default_factory=list)
    precise_cents: Fraction = ZERO


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
        value = Fraction(1) if charge.metric.aggregation == "count_agg" else number(event)
        assert value is not None
        carried = ZERO
        if charge.metric.recurring:
            history = candidates(arrived, charge, one.external_id, window.start)
            carried = sum(
                (
                    number(e) or ZERO
                    for e in history
                    if bucket_of(e, charge) is bucket and group_of(e, properties) == group
                ),
                ZERO,
            )
        without = Side(u=carried + sold.highest, values=tuple(sold.values), precise_cents=sold.precise_cents)
        sold.current += value
        b = max(sold.current - sold.highest, ZERO)
        sold.highest = max(sold.highest, sold.current)
        sold.values.append(value)
        sold.precise_cents += Fraction(event.precise_total_amount_cents or 0)
        priced = Side(u=carried + sold.highest, values=tuple(sold.values), precise_cents=sold.precise_cents)
        if charge.prorated:
            share = Fraction(days(event.timestamp, window.last, window.zone), window.duration)
            amount = ceil5(b * share) * get(properties, "amount")
        else:
            amount = difference(charge, properties, priced, without, SUBUNITS[currency])
        amount_cents, precise_cents, in_pricing_units = money(charge, max(amount, ZERO), currency)
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
        )


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
