"""Usage priced: a charge with the fee that it makes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tallymark.domain.fees.model import Fee
from tallymark.domain.invoicing import InvoiceDraft, TaxRate
from tallymark.domain.periods import Period
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.taxes.model import Tax


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeLine:
    """What one charge comes to in a window."""

    charge: Charge
    fee: Fee
    taxes: tuple[Tax, ...]

    @property
    def rates(self) -> tuple[TaxRate, ...]:
        """Its taxes as they are computed with."""
        return tuple(tax.as_rate for tax in self.taxes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which charges are asked about; the first that is given applies (metering §9.1)."""

    charge_id: UUID | None = None
    charge_code: str | None = None
    billable_metric_code: str | None = None

    @property
    def is_any(self) -> bool:
        """Whether something is selected."""
        return bool(self.charge_id or self.charge_code or self.billable_metric_code)

    def takes(self, charge: Charge) -> bool:
        """Whether a charge is asked about."""
        if self.charge_id is not None:
            return charge.id == self.charge_id
        if self.charge_code is not None:
            return charge.code == self.charge_code
        if self.billable_metric_code is not None:
            return charge.billable_metric.code == self.billable_metric_code
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whose running period, which charges of it, since when, with or without taxes."""

    external_customer_id: str
    external_subscription_id: str | None
    selection: Selection = Selection()
    is_full: bool = False
    with_taxes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentUsage:
    """The running period as a virtual invoice of its charges."""

    contract: Contract
    window: Period
    issuing_date: date
    lines: tuple[ChargeLine, ...]
    totals: InvoiceDraft
