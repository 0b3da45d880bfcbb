"""How past usage looks on the wire: like current usage, from the fees that were billed (metering §9.3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from tallymark.api.pagination import Meta
from tallymark.rooms.fees.model import UsageFee
from tallymark.rooms.usage.past import BilledCharge, PastPeriod
from tallymark.rooms.usage.schemas import (
    BreakdownOutput,
    ChargeUsageOutput,
    CurrentUsageOutput,
    FilterUsage,
    GroupUsage,
    UsageCharge,
    UsageMetric,
    UsagePricingUnit,
)


class PastUsageResponse(BaseModel):
    usage_periods: list[CurrentUsageOutput]
    meta: Meta


def past_period(period: PastPeriod) -> CurrentUsageOutput:
    """Show a billed period; its amounts are those of the fees that are shown."""
    amount = sum(fee.amount_cents for fee in period.fees)
    taxes = sum(fee.taxes_amount_cents for fee in period.fees)
    of_charges = _by(period.fees, lambda fee: fee.charge_id)
    shown = [
        _charge_usage(period.charges[found[0].charge_id], found, period.currency)
        for found in of_charges
        if found[0].charge_id is not None
    ]
    return CurrentUsageOutput(
        from_datetime=period.from_at,
        to_datetime=period.to_at,
        issuing_date=period.issuing_date,
        lago_invoice_id=period.invoice_id,
        currency=period.currency,
        amount_cents=amount,
        taxes_amount_cents=taxes,
        total_amount_cents=amount + taxes,
        charges_usage=sorted(shown, key=lambda usage: usage.billable_metric.name.lower()),
    )


def _charge_usage(charge: BilledCharge, fees: Sequence[UsageFee], currency: str) -> ChargeUsageOutput:
    return ChargeUsageOutput(
        **_numbers(fees),
        amount_currency=currency,
        charge=UsageCharge(
            lago_id=charge.id,
            code=charge.code,
            charge_model=charge.charge_model,
            invoice_display_name=charge.invoice_display_name,
        ),
        billable_metric=UsageMetric(
            lago_id=charge.metric_id,
            name=charge.metric_name,
            code=charge.metric_code,
            aggregation_type=charge.aggregation_type,
        ),
        filters=_filters(fees),
        grouped_usage=_groups(fees),
        presentation_breakdowns=_breakdowns(
            fee for fee in fees if not fee.grouped_by and fee.charge_filter_id is None
        ),
    )


def _filters(fees: Sequence[UsageFee]) -> list[FilterUsage]:
    """One item for each filter that was billed and one for the rest; none where no fee has a filter."""
    if all(fee.charge_filter_id is None for fee in fees):
        return []
    return [
        FilterUsage(
            **_numbers(found),
            invoice_display_name=found[0].filter_display_name,
            values={key: list(values) for key, values in (found[0].filter_values or {}).items()} or None,
            presentation_breakdowns=_breakdowns(fee for fee in found if not fee.grouped_by),
        )
        for found in _by(fees, lambda fee: fee.charge_filter_id)
    ]


def _groups(fees: Sequence[UsageFee]) -> list[GroupUsage]:
    if not any(fee.grouped_by for fee in fees):
        return []
    return [
        GroupUsage(
            **_numbers(found),
            grouped_by=dict(found[0].grouped_by),
            filters=_filters(found),
            presentation_breakdowns=_breakdowns(
                fee for fee in found if fee.grouped_by and fee.charge_filter_id is None
            ),
        )
        for found in _by(fees, lambda fee: tuple(sorted(fee.grouped_by.items())))
    ]


def _numbers(fees: Sequence[UsageFee]) -> dict[str, Any]:
    units = [fee.pricing_unit_details for fee in fees if fee.pricing_unit_details]
    return {
        "units": sum((fee.units for fee in fees), Decimal(0)),
        "total_aggregated_units": sum((fee.total_aggregated_units for fee in fees), Decimal(0)),
        "events_count": sum(fee.events_count or 0 for fee in fees),
        "amount_cents": sum(fee.amount_cents for fee in fees),
        "pricing_unit_details": UsagePricingUnit(
            amount_cents=sum(unit["amount_cents"] for unit in units),
            short_name=units[0]["short_name"],
            conversion_rate=Decimal(units[0]["conversion_rate"]),
        )
        if units
        else None,
    }


def _breakdowns(fees: Iterable[UsageFee]) -> list[BreakdownOutput]:
    """Units by presentation keys, equal ones summed: each event that was paid in advance has a fee of its own."""
    sums: dict[tuple[tuple[str, str | None], ...], Decimal] = {}
    for fee in fees:
        for item in fee.presentation_breakdowns:
            by = tuple(item["presentation_by"].items())
            sums[by] = sums.get(by, Decimal(0)) + Decimal(item["units"])
    return [BreakdownOutput(presentation_by=dict(by), units=units) for by, units in sums.items()]


def _by(fees: Sequence[UsageFee], key: Callable[[UsageFee], Hashable]) -> list[list[UsageFee]]:
    found: dict[Hashable, list[UsageFee]] = defaultdict(list)
    for fee in fees:
        found[key(fee)].append(fee)
    return list(found.values())
