"""Usage that is billed, what it comes to now, and by how much that differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.domain.calendar import Window
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.correction import CorrectedLine, adjustment_name
from tallymark.domain.fees.model import Fee
from tallymark.domain.periods import Period, local_date
from tallymark.domain.values import value
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.subscriptions.model import Contract, Status
from tallymark.rooms.taxes.model import Tax

LineKey = tuple[UUID | None, tuple[tuple[str, Any], ...], bool]
"""A filter and group of a charge; the last tells its true-up, which is the charge's. An event in advance is a group of its own."""


ChargeKey = tuple[UUID, UUID, datetime]
"""A subscription, a charge, and the start of the window that it was billed for."""


@value
class Touched:
    """The events of a subscription and code that a correction changes: they counted, or are to count, from `first` to `last`."""

    external_subscription_id: str
    code: str
    first: datetime
    last: datetime


@value
class BilledRecord:
    """A window of usage on a final invoice, as it is kept; without terms nobody can rate it again."""

    invoice_id: UUID
    subscription_id: UUID
    from_at: datetime
    to_at: datetime
    wire_to_at: datetime
    full_from_at: datetime | None
    full_to_at: datetime | None
    finalized_at: datetime
    charges: Sequence[Charge] | None


@value
class BilledUsage:
    """The same with whose it is, and the charges on the code that was corrected."""

    invoice: Invoice
    contract: Contract
    window: Window
    finalized_at: datetime
    charges: Sequence[Charge]

    @property
    def key(self) -> tuple[UUID, datetime]:
        """Its subscription and start."""
        return self.contract.subscription.id, self.window.period.start

    def key_of(self, charge: Charge) -> ChargeKey:
        """The key of one of its charges."""
        return self.contract.subscription.id, charge.id, self.window.period.start


@dataclass(slots=True, kw_only=True)
class Adjustments:
    """What was adjusted of a charge that is billed, in minor units.

    What is forgone was not given back, for nothing was left of its fees, or was billed by an invoice that was voided.
    """

    standing_cents: int = 0
    forgone_cents: int = 0
    pending_cents: int = 0
    """What the next invoice bills."""

    increase_fee_ids: list[UUID] = field(default_factory=list)
    is_waiting: bool = False
    """Whether an invoice of an increase is not final yet, for it waits for its taxes."""


@value
class BilledCharge:
    """What a charge was billed: its fees, with their taxes, and what was adjusted since, in minor units."""

    usage: BilledUsage
    charge: Charge
    fees: Mapping[LineKey, FeeRecord]
    taxes: tuple[Tax, ...]
    adjusted_cents: int
    forgone_cents: int
    pending_cents: int

    adjustment_fees: Sequence[FeeRecord]
    """Those that billed increases, the oldest first."""

    @property
    def key(self) -> ChargeKey:
        """Its subscription, charge and window."""
        return self.usage.key_of(self.charge)

    @property
    def name(self) -> str:
        """What documents call an adjustment of it."""
        contract, window = self.usage.contract, self.usage.window.period
        return adjustment_name(
            self.charge.invoice_display_name or self.charge.billable_metric.name,
            first=local_date(window.start, contract.timezone).isoformat(),
            last=local_date(window.last, contract.timezone).isoformat(),
            locale=contract.customer.document_locale or contract.customer_entity.document_locale,
        )

    @property
    def is_to_be_continued(self) -> bool:
        """Whether its subscription has a next invoice."""
        return self.usage.contract.subscription.status is Status.ACTIVE

    @property
    def is_to_be_told_anew(self) -> bool:
        """Whether something is forgone or pending, which its next difference has in it."""
        return bool(self.forgone_cents or self.pending_cents)

    @property
    def billed_cents(self) -> int:
        """What its invoice has of it."""
        return sum(fee.amount_cents for fee in self.fees.values())


@value
class Rated:
    """What a filter and group, or the true-up, of a charge comes to now."""

    units: Fraction
    amount_cents: int
    explanation: tuple[Mapping[str, Any], ...]
    filter_values: Mapping[str, list[str]] | None
    grouped_by: Mapping[str, str | None]


@value
class Difference:
    """By how much what a charge's events cost differs from what was billed and adjusted."""

    billed: BilledCharge
    lines: Sequence[CorrectedLine]
    amount_cents: int
    by_decrease: Sequence[FeeRecord]
    """The fees on the invoice, that of the line which comes to the least beside what it was first."""

    @property
    def creditable(self) -> list[FeeRecord]:
        """The fees that a decrease is given back of, in order: the latest increases, then what was billed first."""
        return [*reversed(self.billed.adjustment_fees), *self.by_decrease]


@value
class PendingAdjustment:
    """A difference that the next invoice of its subscription bills, as a fee of its own period."""

    id: UUID
    charge: Charge
    fee: Fee
    taxes: tuple[Tax, ...]
    period: Period
    name: str
