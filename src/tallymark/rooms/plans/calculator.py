"""Compute what a charge that is being edited would cost: its price at some units, and what it costs as it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallymark.domain.errors import Problems
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.price_points import COUNTS, SUM, PricePoint, Tariff, of_events, price_units, spread
from tallymark.domain.money import Currency
from tallymark.domain.rating import (
    LARGEST_PRICE,
    ChargeModel,
    InvalidProperties,
    Usage,
    clean_properties,
    parse_price,
)
from tallymark.domain.rating.graduated import GraduatedPrice
from tallymark.domain.rating.graduated_percentage import GraduatedPercentagePrice
from tallymark.domain.rating.package import PackagePrice
from tallymark.domain.rating.volume import VolumePrice
from tallymark.rooms.plans.fixed_charges import PRICES

MOST_STEPS = 20_000
"""So many events are made up for one question over all of its points, or tiers walked along: well below a second."""

WITHOUT_CURVE = (ChargeModel.CUSTOM, ChargeModel.DYNAMIC)
"""Models whose price is in the events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPrice:
    """A price as it is sent: a model and its properties, as on a charge."""

    charge_model: ChargeModel
    properties: Mapping[str, Any] | None
    min_amount_cents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: a price at some units, or for some events; beside it the price that is kept, if there is one.

    Of each of the units, `events_count` events of one size are thought to have brought them.
    """

    price: AskedPrice
    saved: AskedPrice | None
    is_fixed: bool
    aggregation_type: str
    currency: Currency
    units: Sequence[Fraction]
    events_count: int
    event_values: Sequence[Fraction] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The answer at some units."""

    usage: Usage
    price: PricePoint
    saved: PricePoint | None
    packages: int | None
    """How many packages are opened, of prices by packages."""


def compute_points(asked: Question) -> list[Point]:
    """The price at each of the units, or of the events, by the rating that bills go by (pricing §7, §10).

    Raises `Invalid` with the codes with which a plan that has such a charge is refused, all of them on `saved` for the price
    that is kept; on `units` for more than can be computed at once, and on `event_values` for events that are not summed.
    """
    problems = Problems()
    tariff = _tariff(asked, asked.price, problems)
    saved = None if asked.saved is None else _tariff(asked, asked.saved, problems, on="saved")
    if asked.event_values is not None and (asked.units or asked.is_fixed or asked.aggregation_type != SUM):
        problems.add("event_values", "value_is_invalid")
    if sum(_steps(asked, one) for one in (tariff, saved) if one) > MOST_STEPS:
        problems.add("units", "value_is_out_of_range")
    problems.raise_any()
    assert tariff is not None, "a price that is none was noted"
    return [_point(asked, tariff, saved, index) for index in range(_count(asked))]


def _count(asked: Question) -> int:
    return len(asked.units) if asked.event_values is None else 1


def _point(asked: Question, tariff: Tariff, saved: Tariff | None, index: int) -> Point:
    usage = _usage(asked, tariff, index)
    price = tariff.price
    return Point(
        usage=usage,
        price=price_units(tariff, usage, asked.currency),
        saved=None if saved is None else price_units(saved, _usage(asked, saved, index), asked.currency),
        packages=price.packages(usage.units) if isinstance(price, PackagePrice) else None,
    )


def _usage(asked: Question, tariff: Tariff, index: int) -> Usage:
    """The usage of a point; what has to be known of its events depends on the price."""
    if asked.event_values is not None:
        return of_events(tariff, asked.event_values)
    return spread(tariff, asked.units[index], events_count=asked.events_count)


def _steps(asked: Question, tariff: Tariff) -> int:
    """How many events have to be made up for a price, and tiers be walked along."""
    price = tariff.price
    tiers = (
        len(price.tiers) if isinstance(price, GraduatedPrice | GraduatedPercentagePrice | VolumePrice) else 0
    )
    if asked.event_values is not None or not tariff.looks_at_events:
        return _count(asked) * tiers
    if tariff.aggregation_type in COUNTS:
        return int(sum(asked.units))
    return len(asked.units) * asked.events_count


def _tariff(
    asked: Question, price: AskedPrice, problems: Problems, *, on: str | None = None
) -> Tariff | None:
    """The price as it would be kept, or None with its faults noted; `on` is the field to note all of them on."""
    faults = Problems()
    model = price.charge_model
    if model in WITHOUT_CURVE or (asked.is_fixed and model not in PRICES):
        faults.add(on or "charge_model", "value_is_invalid")
    if asked.is_fixed and price.min_amount_cents:
        faults.add(on or "min_amount_cents", "value_must_be_blank")
    properties = clean_properties(model, price.properties)
    kind = SUM if asked.is_fixed else asked.aggregation_type
    try:
        at_most = None if on else LARGEST_PRICE
        parsed = (
            None if faults.any else parse_price(model, properties, aggregation_type=kind, at_most=at_most)
        )
    except InvalidProperties as error:
        faults.add(on or "properties", *error.codes)
        parsed = None
    problems.add_all(faults)
    if parsed is None:
        return None
    return Tariff(
        charge_model=model,
        price=parsed,
        properties=properties,
        aggregation_type=kind,
        min_amount_cents=price.min_amount_cents,
        is_fixed=asked.is_fixed,
    )
