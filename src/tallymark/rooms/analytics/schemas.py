"""How analytics looks on the wire (platform §12): months as instants, amounts as integers."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, PlainSerializer

from tallymark.api.wire import DecimalText, wire_instant_ms
from tallymark.rooms.analytics.model import (
    Collection,
    GrossRevenue,
    InvoicedUsage,
    OverdueBalance,
    RecurringRevenue,
    UsageOfPeriod,
)


def wire_month(month: date) -> str:
    """The first instant of a month.

    >>> wire_month(date(2025, 3, 1))
    '2025-03-01T00:00:00.000Z'
    """
    return wire_instant_ms(datetime.combine(month, time.min, UTC))


Month = Annotated[date, PlainSerializer(wire_month, return_type=str)]


class GrossRevenueOutput(BaseModel):
    month: Month
    amount_cents: int
    currency: str
    invoices_count: int
    billing_entity_id: UUID

    @classmethod
    def of(cls, row: GrossRevenue) -> GrossRevenueOutput:
        """Show a month of an issuer."""
        return cls(
            month=row.month,
            amount_cents=row.amount_cents,
            currency=row.currency,
            invoices_count=row.invoices_count,
            billing_entity_id=row.billing_entity_id,
        )


class GrossRevenuesResponse(BaseModel):
    gross_revenues: list[GrossRevenueOutput]


class CollectionOutput(BaseModel):
    month: Month
    payment_status: str | None
    invoices_count: int
    amount_cents: int
    currency: str | None

    @classmethod
    def of(cls, row: Collection) -> CollectionOutput:
        """Show the invoices of a month with one payment status."""
        return cls(
            month=row.month,
            payment_status=row.payment_status,
            invoices_count=row.invoices_count,
            amount_cents=row.amount_cents,
            currency=row.currency,
        )


class CollectionsResponse(BaseModel):
    invoice_collections: list[CollectionOutput]


class InvoicedUsageOutput(BaseModel):
    month: Month
    code: str
    currency: str
    amount_cents: int

    @classmethod
    def of(cls, row: InvoicedUsage) -> InvoicedUsageOutput:
        """Show what a metric was billed in a month."""
        return cls(month=row.month, code=row.code, currency=row.currency, amount_cents=row.amount_cents)


class InvoicedUsagesResponse(BaseModel):
    invoiced_usages: list[InvoicedUsageOutput]


class OverdueBalanceOutput(BaseModel):
    month: Month
    amount_cents: int
    currency: str
    lago_invoice_ids: list[UUID]
    billing_entity_id: UUID

    @classmethod
    def of(cls, row: OverdueBalance) -> OverdueBalanceOutput:
        """Show what fell due in a month and is not paid."""
        return cls(
            month=row.month,
            amount_cents=row.amount_cents,
            currency=row.currency,
            lago_invoice_ids=list(row.invoice_ids),
            billing_entity_id=row.billing_entity_id,
        )


class OverdueBalancesResponse(BaseModel):
    overdue_balances: list[OverdueBalanceOutput]


class MrrOutput(BaseModel):
    month: Month
    amount_cents: int | None
    currency: str | None

    @classmethod
    def of(cls, row: RecurringRevenue) -> MrrOutput:
        """Show the recurring revenue of a month."""
        return cls(month=row.month, amount_cents=row.amount_cents, currency=row.currency)


class MrrsResponse(BaseModel):
    mrrs: list[MrrOutput]


class UsageOutput(BaseModel):
    organization_id: UUID
    start_of_period_dt: date
    end_of_period_dt: date
    amount_currency: str
    amount_cents: int
    billable_metric_code: str
    units: DecimalText
    is_billable_metric_deleted: bool

    @classmethod
    def of(cls, row: UsageOfPeriod, organization_id: UUID) -> UsageOutput:
        """Show what was used of a metric in a period."""
        return cls(
            organization_id=organization_id,
            start_of_period_dt=row.start,
            end_of_period_dt=row.end,
            amount_currency=row.currency,
            amount_cents=row.amount_cents,
            billable_metric_code=row.code,
            units=row.units,
            is_billable_metric_deleted=row.is_deleted,
        )


class UsagesResponse(BaseModel):
    usages: list[UsageOutput]
