"""Usage that was billed, read from the fees of invoices (metering §9.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid
from tallymark.domain.fees.model import FeeType
from tallymark.domain.rating import ChargeModel
from tallymark.rooms.billable_metrics import service as billable_metrics
from tallymark.rooms.billable_metrics.model import AggregationType
from tallymark.rooms.customers import service as customers
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord, UsageFee
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.usage import repository


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledCharge:
    """A charge as its fees name it; it may be deleted since."""

    id: UUID
    code: str
    charge_model: ChargeModel
    invoice_display_name: str | None
    metric_id: UUID
    metric_name: str
    metric_code: str
    aggregation_type: AggregationType

    @classmethod
    def of(cls, charge: Charge) -> BilledCharge:
        """The same of a charge that is there."""
        metric = charge.billable_metric
        return cls(
            id=charge.id,
            code=charge.code,
            charge_model=charge.charge_model,
            invoice_display_name=charge.invoice_display_name,
            metric_id=metric.id,
            metric_name=metric.name,
            metric_code=metric.code,
            aggregation_type=metric.aggregation_type,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPeriod:
    """The usage of one subscription on one invoice: its window as the wire shows it, and its charge fees."""

    invoice_id: UUID
    from_at: datetime
    to_at: datetime
    issuing_date: date
    currency: str
    fees: tuple[UsageFee, ...]
    charges: Mapping[UUID, BilledCharge]


async def list_past_usage(
    tx: Tx,
    *,
    external_customer_id: str,
    external_subscription_id: str | None,
    billable_metric_code: str | None,
    page: Page,
) -> tuple[list[PastPeriod], int]:
    """A page of billed periods of a subscription, the newest first, and how many there are; of one metric if asked.

    An unknown customer or subscription has none. Raises `Invalid` without a subscription's id, and
    `NotFound("billable_metric")`.
    """
    if not (external_subscription_id or "").strip():
        raise Invalid({"external_subscription_id": ["value_is_mandatory"]})
    metric = None
    if billable_metric_code:
        metric = await billable_metrics.get_metric(tx, code=billable_metric_code)
    customer = await customers.find_customer(tx, external_id=external_customer_id)
    if customer is None:
        return [], 0
    rows, total = await repository.list_periods(
        tx, customer_id=customer.id, external_subscription_id=str(external_subscription_id), page=page
    )
    of_invoices = await fees.of_invoices(tx, {row.invoice_id for row in rows})
    charges = await charges_of(tx, (fee for found in of_invoices.values() for fee in found))
    return [
        PastPeriod(
            invoice_id=row.invoice_id,
            from_at=row.charges_from_at,
            to_at=row.wire_charges_to_at,
            issuing_date=row.issuing_date,
            currency=row.currency,
            fees=tuple(
                UsageFee.of(fee)
                for fee in of_invoices.get(row.invoice_id, ())
                if fee.fee_type is FeeType.CHARGE
                and not fee.is_adjustment
                and fee.subscription_id == row.subscription_id
                and (metric is None or fee.billable_metric_id == metric.id)
            ),
            charges=charges,
        )
        for row in rows
    ], total


async def charges_of(tx: Tx, of: Iterable[FeeRecord | UsageFee]) -> dict[UUID, BilledCharge]:
    """The charges of fees, by id."""
    ids = {fee.charge_id for fee in of if fee.charge_id}
    if not ids:
        return {}
    return {
        charge_id: BilledCharge(
            id=row.id,
            code=row.code,
            charge_model=ChargeModel(row.charge_model),
            invoice_display_name=row.invoice_display_name,
            metric_id=row.metric_id,
            metric_name=row.metric_name,
            metric_code=row.metric_code,
            aggregation_type=AggregationType(row.aggregation_type),
        )
        for charge_id, row in (await repository.charges_by_id(tx, ids)).items()
    }
