"""How projected usage looks on the wire: current usage with what each part will come to (metering §9.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from tallymark.api.wire import DecimalText
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.usage.model import ChargeLine, CurrentUsage
from tallymark.rooms.usage.schemas import (
    BreakdownOutput,
    ChargeUsageOutput,
    CurrentUsageOutput,
    breakdowns,
    by_charge,
    filter_usages,
    group_usages,
    shown_units,
)

Wire = dict[str, Any]
NOT_SHOWN = {"total_aggregated_units"}


class ProjectedNumbers(BaseModel):
    """What lines will come to, of a charge, a filter or a group."""

    projected_units: DecimalText
    projected_amount_cents: int
    projected_presentation_breakdowns: list[BreakdownOutput]

    @classmethod
    def of(cls, lines: Sequence[ChargeLine], shown: Iterable[ChargeLine]) -> ProjectedNumbers:
        """Sum the projections of lines, and break down those of the lines that show breakdowns."""
        found = [line.projection for line in lines if line.projection is not None]
        return cls(
            projected_units=sum((shown_units(projection.units) for projection in found), Decimal(0)),
            projected_amount_cents=sum(projection.amount_cents for projection in found),
            projected_presentation_breakdowns=breakdowns(_as_projected(shown)),
        )


class ProjectedUsageOutput(BaseModel):
    customer_projected_usage: Wire

    @classmethod
    def of(cls, usage: CurrentUsage) -> ProjectedUsageOutput:
        """Show the running period with what it will come to."""
        whole = CurrentUsageOutput.of(usage).model_dump(mode="json")
        whole["charges_usage"] = [
            _charge(lines, usage.contract.plan.amount_currency) for lines in by_charge(usage.lines)
        ]
        whole["projected_amount_cents"] = sum(
            line.projection.amount_cents for line in usage.lines if line.projection is not None
        )
        return cls(customer_projected_usage=whole)


def _charge(lines: Sequence[ChargeLine], currency: str) -> Wire:
    charge = lines[0].charge
    shown = ChargeUsageOutput.of(lines, currency).model_dump(mode="json", exclude=NOT_SHOWN)
    del shown["charge"]["code"]
    plain = () if charge.filters else _ungrouped(lines)
    return {
        **shown,
        **ProjectedNumbers.of(lines, plain).model_dump(mode="json"),
        "filters": _filters(charge, lines),
        "grouped_usage": _groups(charge, lines),
    }


def _ungrouped(lines: Iterable[ChargeLine]) -> list[ChargeLine]:
    return [line for line in lines if not line.grouped_by]


def _filters(charge: Charge, lines: Sequence[ChargeLine]) -> list[Wire]:
    if not charge.filters:
        return []
    return [
        {
            **item.model_dump(mode="json", exclude=NOT_SHOWN),
            **ProjectedNumbers.of(of_filter, _ungrouped(of_filter)).model_dump(mode="json"),
        }
        for item, of_filter in zip(filter_usages(charge, lines), _by_filter(lines), strict=True)
    ]


def _groups(charge: Charge, lines: Sequence[ChargeLine]) -> list[Wire]:
    found = []
    for item in group_usages(charge, lines):
        of_group = [line for line in lines if line.grouped_by == item.grouped_by]
        plain = [line for line in of_group if line.grouped_by and line.filter is None]
        found.append(
            {
                **item.model_dump(mode="json", exclude=NOT_SHOWN),
                **ProjectedNumbers.of(of_group, plain).model_dump(mode="json"),
                "filters": _filters(charge, of_group),
            }
        )
    return found


def _by_filter(lines: Sequence[ChargeLine]) -> list[list[ChargeLine]]:
    """The lines of each filter, in the order in which `filter_usages` shows them."""
    found: dict[Any, list[ChargeLine]] = {}
    for line in lines:
        found.setdefault(line.filter.id if line.filter else None, []).append(line)
    return list(found.values())


def _as_projected(lines: Iterable[ChargeLine]) -> Iterable[ChargeLine]:
    return (
        replace(line, breakdowns=line.projection.breakdowns) for line in lines if line.projection is not None
    )
