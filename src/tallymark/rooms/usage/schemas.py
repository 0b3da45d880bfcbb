"""How current usage looks on the wire (metering §9.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.wire import DecimalText, Instant
from tallymark.domain.exact import Fraction
from tallymark.domain.money import fixed
from tallymark.domain.rating import ChargeModel
from tallymark.rooms.billable_metrics.model import AggregationType
from tallymark.rooms.plans.model import Charge, ChargeFilter
from tallymark.rooms.usage.model import ChargeLine, CurrentUsage

UNITS_DECIMALS = 10


class UsageCharge(BaseModel):
    lago_id: UUID
    code: str
    charge_model: ChargeModel
    invoice_display_name: str | None


class UsageMetric(BaseModel):
    lago_id: UUID
    name: str
    code: str
    aggregation_type: AggregationType


class UsagePricingUnit(BaseModel):
    amount_cents: int
    short_name: str
    conversion_rate: DecimalText


class BreakdownOutput(BaseModel):
    presentation_by: dict[str, str | None]
    units: DecimalText


class UsageNumbers(BaseModel):
    """What lines of usage come to, of a charge, a filter or a group."""

    units: DecimalText
    total_aggregated_units: DecimalText
    events_count: int
    amount_cents: int
    pricing_unit_details: UsagePricingUnit | None


class FilterUsage(UsageNumbers):
    invoice_display_name: str | None
    values: dict[str, list[str]] | None
    presentation_breakdowns: list[BreakdownOutput]

    @classmethod
    def of(cls, charge_filter: ChargeFilter | None, lines: Sequence[ChargeLine]) -> FilterUsage:
        """Show the usage of a filter, or of what matches none."""
        values = charge_filter and {key: list(found) for key, found in charge_filter.values.items()}
        return cls(
            **numbers(lines),
            invoice_display_name=charge_filter.invoice_display_name if charge_filter else None,
            values=values,
            presentation_breakdowns=breakdowns(line for line in lines if not line.grouped_by),
        )


class GroupUsage(UsageNumbers):
    grouped_by: dict[str, str | None]
    filters: list[FilterUsage]
    presentation_breakdowns: list[BreakdownOutput]


class ChargeUsageOutput(UsageNumbers):
    amount_currency: str
    charge: UsageCharge
    billable_metric: UsageMetric
    filters: list[FilterUsage]
    grouped_usage: list[GroupUsage]
    presentation_breakdowns: list[BreakdownOutput]

    @classmethod
    def of(cls, lines: Sequence[ChargeLine], currency: str) -> ChargeUsageOutput:
        """Show a charge's usage."""
        charge = lines[0].charge
        metric = charge.billable_metric
        plain = (line for line in lines if not line.grouped_by and line.filter is None)
        return cls(
            **numbers(lines),
            amount_currency=currency,
            charge=UsageCharge(
                lago_id=charge.id,
                code=charge.code,
                charge_model=charge.charge_model,
                invoice_display_name=charge.invoice_display_name,
            ),
            billable_metric=UsageMetric(
                lago_id=metric.id,
                name=metric.name,
                code=metric.code,
                aggregation_type=metric.aggregation_type,
            ),
            filters=filter_usages(charge, lines),
            grouped_usage=group_usages(charge, lines),
            presentation_breakdowns=breakdowns(() if charge.filters else plain),
        )


def numbers(lines: Sequence[ChargeLine]) -> dict[str, Any]:
    """The sums over lines: of units as they are shown, of amounts as they are rounded."""
    units = [line.fee.pricing_unit for line in lines if line.fee.pricing_unit is not None]
    return {
        "units": sum((shown_units(line.fee.units) for line in lines), Decimal(0)),
        "total_aggregated_units": sum(
            (shown_units(line.fee.total_aggregated_units) for line in lines), Decimal(0)
        ),
        "events_count": sum(line.fee.events_count or 0 for line in lines),
        "amount_cents": sum(line.fee.amount_cents for line in lines),
        "pricing_unit_details": UsagePricingUnit(
            amount_cents=sum(unit.amount_cents for unit in units),
            short_name=units[0].short_name,
            conversion_rate=units[0].conversion_rate,
        )
        if units
        else None,
    }


def shown_units(units: Fraction) -> Decimal:
    """Units with at most ten decimals."""
    return fixed(units, UNITS_DECIMALS)


def breakdowns(lines: Iterable[ChargeLine]) -> list[BreakdownOutput]:
    """Units by presentation keys, equal ones summed."""
    sums: dict[tuple[tuple[str, str | None], ...], Fraction] = {}
    for line in lines:
        for item in line.breakdowns:
            by = tuple(item.presentation_by.items())
            sums[by] = sums.get(by, Fraction(0)) + item.units
    return [BreakdownOutput(presentation_by=dict(by), units=shown_units(units)) for by, units in sums.items()]


def filter_usages(charge: Charge, lines: Sequence[ChargeLine]) -> list[FilterUsage]:
    """One item for each filter that lines have and one for the rest; none where the charge has no filters."""
    if not charge.filters:
        return []
    found: dict[UUID | None, list[ChargeLine]] = {}
    for line in lines:
        found.setdefault(line.filter.id if line.filter else None, []).append(line)
    return [FilterUsage.of(of_filter[0].filter, of_filter) for of_filter in found.values()]


def group_usages(charge: Charge, lines: Sequence[ChargeLine]) -> list[GroupUsage]:
    """One item for each group of lines, if any is grouped."""
    if not any(line.grouped_by for line in lines):
        return []
    found: dict[tuple[tuple[str, str | None], ...], list[ChargeLine]] = {}
    for line in lines:
        found.setdefault(tuple(sorted(line.grouped_by.items())), []).append(line)
    return [
        GroupUsage(
            **numbers(of_group),
            grouped_by=dict(of_group[0].grouped_by),
            filters=filter_usages(charge, of_group),
            presentation_breakdowns=breakdowns(
                line for line in of_group if line.grouped_by and line.filter is None
            ),
        )
        for of_group in found.values()
    ]


def by_charge(lines: Iterable[ChargeLine]) -> list[list[ChargeLine]]:
    """The lines of each charge, in the order of the metrics' names."""
    found: dict[UUID, list[ChargeLine]] = {}
    for line in lines:
        found.setdefault(line.charge.id, []).append(line)
    return sorted(found.values(), key=lambda of: of[0].charge.billable_metric.name.lower())


class CurrentUsageTotals(BaseModel):
    """What a running period comes to so far."""

    from_datetime: Instant
    to_datetime: Instant
    issuing_date: date
    lago_invoice_id: UUID | None
    currency: str
    amount_cents: int
    taxes_amount_cents: int
    total_amount_cents: int


class CurrentUsageOutput(CurrentUsageTotals):
    charges_usage: list[ChargeUsageOutput]

    @classmethod
    def of(cls, usage: CurrentUsage) -> CurrentUsageOutput:
        """Show the running period."""
        currency = usage.contract.plan.amount_currency
        return cls(
            **totals_fields(usage),
            charges_usage=[ChargeUsageOutput.of(lines, currency) for lines in by_charge(usage.lines)],
        )


def totals_fields(usage: CurrentUsage) -> dict[str, Any]:
    """The wire's names for a running period and its sums."""
    return {
        "from_datetime": usage.window.start,
        "to_datetime": usage.window.last,
        "issuing_date": usage.issuing_date,
        "lago_invoice_id": None,
        "currency": usage.contract.plan.amount_currency,
        "amount_cents": usage.totals.fees_amount_cents,
        "taxes_amount_cents": usage.totals.taxes_amount_cents,
        "total_amount_cents": usage.totals.total_amount_cents,
    }


class CurrentUsageResponse(BaseModel):
    customer_usage: CurrentUsageOutput


class UsageExplanation(BaseModel):
    """How the amount of a charge comes to be, for one of its filters (values None: the rest) and one group."""

    lago_fee_id: UUID | None
    lago_charge_id: UUID
    invoice_display_name: str | None
    values: dict[str, list[str]] | None
    grouped_by: dict[str, str | None]
    amount_cents: int
    currency: str
    steps: list[dict[str, Any]]

    @classmethod
    def of(cls, line: ChargeLine, currency: str) -> UsageExplanation:
        """Show what is explained of a line."""
        of_filter = line.filter
        return cls(
            lago_fee_id=None,
            lago_charge_id=line.charge.id,
            invoice_display_name=of_filter and of_filter.invoice_display_name,
            values=of_filter and {key: list(found) for key, found in of_filter.values.items()},
            grouped_by=dict(line.grouped_by),
            amount_cents=line.fee.amount_cents,
            currency=currency,
            steps=[dict(step) for step in line.fee.explanation],
        )


class UsageExplanationsResponse(BaseModel):
    explanations: list[UsageExplanation]
