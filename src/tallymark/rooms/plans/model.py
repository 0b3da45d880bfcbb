"""What a plan and a charge are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallymark.domain.rating import ChargeModel, Price, parse_price
from tallymark.rooms.billable_metrics.model import BillableMetric
from tallymark.rooms.taxes.model import Tax

FIXED_WHEN_ATTACHED = ("code", "interval", "pay_in_advance", "amount_currency", "trial_period",
                       "bill_charges_monthly", "bill_fixed_charges_monthly")  # fmt: skip
"""What does not change on a plan that a subscription references (pricing §4.3)."""

CHARGE_FIXED_WHEN_ATTACHED = ("code", "charge_model", "min_amount_cents", "billable_metric_id",
                              "pay_in_advance", "invoiceable", "prorated")  # fmt: skip
"""The same for a charge (pricing §5.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One priced metric of a plan; `min_amount_cents` is its spending minimum for a full period."""

    id: UUID
    plan_id: UUID
    code: str
    billable_metric: BillableMetric
    charge_model: ChargeModel
    properties: Mapping[str, Any]
    pay_in_advance: bool
    invoiceable: bool
    prorated: bool
    min_amount_cents: int
    invoice_display_name: str | None
    taxes: tuple[Tax, ...]
    created_at: datetime

    @property
    def price(self) -> Price:
        """The charge model with its properties."""
        return parse_price(
            self.charge_model, self.properties, aggregation_type=self.billable_metric.aggregation_type.value
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An offer: a base price for each interval, and charges. `amount_cents` is in the minor unit of its currency."""

    id: UUID
    parent_id: UUID | None
    code: str
    name: str
    invoice_display_name: str | None
    description: str | None
    interval: str
    amount_cents: int
    amount_currency: str
    pay_in_advance: bool
    trial_period: Decimal | None
    bill_charges_monthly: bool | None
    bill_fixed_charges_monthly: bool | None
    pending_deletion: bool
    created_at: datetime
    charges: tuple[Charge, ...]
    taxes: tuple[Tax, ...]

    @property
    def invoice_name(self) -> str:
        """What invoices call it."""
        return self.invoice_display_name or self.name
