"""The running period's lines carried on to its end (metering §9.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.projection import (
    Projected,
    compute_projection,
    project_units,
)
from tallymark.domain.money import Currency
from tallymark.rooms.usage.model import ChargeLine, LineProjection
from tallymark.rooms.usage.partitions import divide


def project_lines(lines: Sequence[ChargeLine], share: Fraction, currency: Currency) -> tuple[ChargeLine, ...]:
    """The lines, each with what it comes to once all of its period has passed, of which `share` has."""
    return tuple(replace(line, projection=_projection(line, share, currency)) for line in lines)


def _projection(line: ChargeLine, share: Fraction, currency: Currency) -> LineProjection:
    charge = line.charge
    own = line.filter.id if line.filter else None
    prices = next(
        prices
        for prices in divide(charge).price_lists
        if (prices.filter.id if prices.filter else None) == own
    )
    is_recurring = charge.billable_metric.recurring
    found = compute_projection(
        Projected(
            fee=line.fee,
            charge_model=charge.charge_model,
            price=prices.price,
            is_recurring=is_recurring,
            conversion=charge.conversion,
        ),
        share,
        currency,
    )
    breakdowns = tuple(
        item if is_recurring else replace(item, units=project_units(item.units, share))
        for item in line.breakdowns
    )
    return LineProjection(units=found.units, amount_cents=found.amount_cents, breakdowns=breakdowns)
