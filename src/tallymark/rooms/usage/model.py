"""Usage priced: a charge with the fee that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from typing import Any
from uuid import UUID

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import Fee
from tallymark.domain.invoicing import InvoiceDraft, TaxRate
from tallymark.domain.money import decimal_text
from tallymark.domain.periods import Period
from tallymark.domain.values import value
from tallymark.rooms.plans.model import Charge, ChargeFilter
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.taxes.model import Tax


@value
class Breakdown:
    """Units of a fee by its presentation keys, which never change the price (metering §7.2)."""

    presentation_by: Mapping[str, str | None]
    units: Fraction


@value
class LineProjection:
    """What a line comes to when its period is over, in units and minor units (metering §9.2)."""

    units: Fraction
    amount_cents: int
    breakdowns: tuple[Breakdown, ...] = ()


@value
class ChargeLine:
    """What one charge comes to in a window, for one of its filters (None: the rest) and one group."""

    charge: Charge
    fee: Fee
    taxes: tuple[Tax, ...]
    filter: ChargeFilter | None = None
    grouped_by: Mapping[str, str | None] = field(default_factory=dict)
    breakdowns: tuple[Breakdown, ...] = ()
    true_up: Fee | None = None
    """What all lines of the charge lack to its minimum, on its first line without filter (invoicing §4.2)."""
    projection: LineProjection | None = None
    """Given where projected usage is asked for."""

    @property
    def rates(self) -> tuple[TaxRate, ...]:
        """Its taxes as they are computed with."""
        return tuple(tax.as_rate for tax in self.taxes)

    @property
    def is_kept(self) -> bool:
        """Whether an invoice keeps it: something was used or is due, or its true-up hangs on it."""
        return not self.fee.is_zero or self.true_up is not None


@value
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


@value
class Narrowing:
    """How a usage question looks at each charge (metering §9.1).

    `group` keeps the events with one of the given values of each key, and these keys group no more.
    """

    group: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    skips_grouping: bool = False
    presentation: tuple[str, ...] | None = None


AS_IT_IS = Narrowing()


@value
class Question:
    """Whose running period, which charges of it, since when, with or without taxes."""

    external_customer_id: str
    external_subscription_id: str | None
    selection: Selection = Selection()
    narrowing: Narrowing = AS_IT_IS
    is_full: bool = False
    with_taxes: bool = True


@value
class CurrentUsage:
    """The running period as a virtual invoice of its charges."""

    contract: Contract
    window: Period
    issuing_date: date
    lines: tuple[ChargeLine, ...]
    totals: InvoiceDraft


def shown_breakdowns(line: ChargeLine) -> list[dict[str, Any]]:
    """The units of a fee by the presentation keys that invoices show, summed over the hidden ones (metering §7.2)."""
    keys = line.charge.properties.get("presentation_group_keys") or ()
    shown = {item["value"] for item in keys if (item.get("options") or {}).get("display_in_invoice")}
    sums: dict[tuple[tuple[str, str | None], ...], Fraction] = {}
    for breakdown in line.breakdowns:
        by = tuple((key, value) for key, value in breakdown.presentation_by.items() if key in shown)
        if by:
            sums[by] = sums.get(by, Fraction(0)) + breakdown.units
    return [{"presentation_by": dict(by), "units": decimal_text(units, 10)} for by, units in sums.items()]
