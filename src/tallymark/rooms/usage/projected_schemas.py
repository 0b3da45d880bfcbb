"""How projected usage looks on the wire: current usage with what each part will come to (metering §9.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.wire import DecimalText
from tallymark.domain.rating import ChargeModel
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.usage.model import ChargeLine, CurrentUsage
from tallymark.rooms.usage.schemas import (
    BreakdownOutput,
    ChargeUsageOutput,
    CurrentUsageTotals,
    UsageMetric,
    UsagePricingUnit,
    breakdowns,
    by_charge,
    filter_usages,
    group_usages,
    shown_units,
    totals_fields,
)


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


class ProjectedPart(ProjectedNumbers):
    """Usage so far and what it will come to: what is told of current usage, without `total_aggregated_units`."""

    units: DecimalText
    events_count: int
    amount_cents: int
    pricing_unit_details: UsagePricingUnit | None
    presentation_breakdowns: list[BreakdownOutput]


class ProjectedFilter(ProjectedPart):
    invoice_display_name: str | None
    values: dict[str, list[str]] | None


class ProjectedGroup(ProjectedPart):
    grouped_by: dict[str, str | None]
    filters: list[ProjectedFilter]


class ProjectedChargeName(BaseModel):
    lago_id: UUID
    charge_model: ChargeModel
    invoice_display_name: str | None


class ProjectedCharge(ProjectedPart):
    amount_currency: str
    charge: ProjectedChargeName
    billable_metric: UsageMetric
    filters: list[ProjectedFilter]
    grouped_usage: list[ProjectedGroup]

    @classmethod
    def of_charge(cls, lines: Sequence[ChargeLine], currency: str) -> ProjectedCharge:
        """Show a charge's usage with what it will come to."""
        charge = lines[0].charge
        so_far = ChargeUsageOutput.of(lines, currency)
        parts = _parts(so_far, lines, () if charge.filters else _ungrouped(lines))
        parts["charge"] = ProjectedChargeName(
            lago_id=charge.id,
            charge_model=charge.charge_model,
            invoice_display_name=charge.invoice_display_name,
        )
        return cls(**{**parts, "filters": _filters(charge, lines), "grouped_usage": _groups(charge, lines)})


class ProjectedUsageOutput(CurrentUsageTotals):
    projected_amount_cents: int
    charges_usage: list[ProjectedCharge]

    @classmethod
    def of(cls, usage: CurrentUsage) -> ProjectedUsageOutput:
        """Show the running period with what it will come to."""
        currency = usage.contract.plan.amount_currency
        return cls(
            **totals_fields(usage),
            projected_amount_cents=sum(
                line.projection.amount_cents for line in usage.lines if line.projection is not None
            ),
            charges_usage=[ProjectedCharge.of_charge(lines, currency) for lines in by_charge(usage.lines)],
        )


class ProjectedUsageResponse(BaseModel):
    customer_projected_usage: ProjectedUsageOutput


def _parts(so_far: BaseModel, lines: Sequence[ChargeLine], shown: Iterable[ChargeLine]) -> dict[str, Any]:
    """The fields of current usage with those of what it will come to."""
    return {**dict(so_far), **dict(ProjectedNumbers.of(lines, shown))}


def _ungrouped(lines: Iterable[ChargeLine]) -> list[ChargeLine]:
    return [line for line in lines if not line.grouped_by]


def _filters(charge: Charge, lines: Sequence[ChargeLine]) -> list[ProjectedFilter]:
    if not charge.filters:
        return []
    return [
        ProjectedFilter(**_parts(item, of_filter, _ungrouped(of_filter)))
        for item, of_filter in zip(filter_usages(charge, lines), _by_filter(lines), strict=True)
    ]


def _groups(charge: Charge, lines: Sequence[ChargeLine]) -> list[ProjectedGroup]:
    found = []
    for item in group_usages(charge, lines):
        of_group = [line for line in lines if line.grouped_by == item.grouped_by]
        plain = [line for line in of_group if line.grouped_by and line.filter is None]
        parts = _parts(item, of_group, plain)
        found.append(ProjectedGroup(**{**parts, "filters": _filters(charge, of_group)}))
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
