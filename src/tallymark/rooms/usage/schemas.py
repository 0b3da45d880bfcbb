"""How current usage looks on the wire (metering §9.1)."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.wire import DecimalText, Instant
from tallymark.domain.money import fixed
from tallymark.domain.rating import ChargeModel
from tallymark.rooms.billable_metrics.model import AggregationType
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


class ChargeUsageOutput(BaseModel):
    units: DecimalText
    total_aggregated_units: DecimalText
    events_count: int
    amount_cents: int
    amount_currency: str
    pricing_unit_details: dict[str, Any] | None
    charge: UsageCharge
    billable_metric: UsageMetric
    filters: list[dict[str, Any]]
    grouped_usage: list[dict[str, Any]]
    presentation_breakdowns: list[dict[str, Any]]

    @classmethod
    def of(cls, line: ChargeLine, currency: str) -> ChargeUsageOutput:
        """Show a charge's usage."""
        charge, metric, fee = line.charge, line.charge.billable_metric, line.fee
        return cls(
            units=fixed(fee.units, UNITS_DECIMALS),
            total_aggregated_units=fixed(fee.total_aggregated_units, UNITS_DECIMALS),
            events_count=fee.events_count or 0,
            amount_cents=fee.amount_cents,
            amount_currency=currency,
            pricing_unit_details=None,
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
            filters=[],
            grouped_usage=[],
            presentation_breakdowns=[],
        )


class CurrentUsageOutput(BaseModel):
    from_datetime: Instant
    to_datetime: Instant
    issuing_date: date
    lago_invoice_id: UUID | None
    currency: str
    amount_cents: int
    taxes_amount_cents: int
    total_amount_cents: int
    charges_usage: list[ChargeUsageOutput]

    @classmethod
    def of(cls, usage: CurrentUsage) -> CurrentUsageOutput:
        """Show the running period."""
        currency = usage.contract.plan.amount_currency
        by_name = sorted(usage.lines, key=lambda line: line.charge.billable_metric.name.lower())
        return cls(
            from_datetime=usage.window.start,
            to_datetime=usage.window.last,
            issuing_date=usage.issuing_date,
            lago_invoice_id=None,
            currency=currency,
            amount_cents=usage.totals.fees_amount_cents,
            taxes_amount_cents=usage.totals.taxes_amount_cents,
            total_amount_cents=usage.totals.total_amount_cents,
            charges_usage=[ChargeUsageOutput.of(line, currency) for line in by_name],
        )


class CurrentUsageResponse(BaseModel):
    customer_usage: CurrentUsageOutput


class UsageExplanation(BaseModel):
    lago_fee_id: UUID | None
    lago_charge_id: UUID
    amount_cents: int
    currency: str
    steps: list[dict[str, Any]]


class UsageExplanationsResponse(BaseModel):
    explanations: list[UsageExplanation]
