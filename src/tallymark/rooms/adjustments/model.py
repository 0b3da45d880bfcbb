"""Usage that is billed, what it comes to now, and by how much that differs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tallymark.domain.calendar import Window
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.commitment import commitment_name
from tallymark.domain.fees.correction import CorrectedLine, adjustment_name
from tallymark.domain.fees.model import Fee, FeeType
from tallymark.domain.periods import Period, local_date
from tallymark.domain.values import value
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus
from tallymark.rooms.plans.model import Charge, Commitment
from tallymark.rooms.subscriptions.model import Contract, Status
from tallymark.rooms.taxes.model import Tax

UNTOLD = (
    "adjustment_not_final",
    "billed_elsewhere",
    "billed_otherwise",
    "billed_terms_unknown",
    "invoice_not_final",
    "period_archived",
    "too_many_priced_events",
)
"""Why a correction of what is billed is refused: its difference can't be told (docs/corrections.md)."""

FARTHEST = timedelta(hours=26)
"""How far apart a day begins in two time zones."""

LineKey = tuple[UUID | None, tuple[tuple[str, Any], ...], bool]
"""A filter and group of a charge; the last tells its true-up, which is the charge's. An event in advance is a group of its own."""


ItemKey = tuple[UUID, UUID | None, datetime]
"""A subscription, a charge, None for its plan's commitment, and the start of the period that it was billed for."""

TRUE_UP: LineKey = (None, (), True)
"""The key of what fills a charge up to its minimum, or a period up to the plan's commitment."""


@value
class Touched:
    """The events of a subscription and code that a correction changes: they counted, or are to count, from `first` to `last`.

    It may be all of the time between these, or these instants alone. `event_ids` are those that may have fees of their own.
    """

    external_subscription_id: str
    code: str
    first: datetime
    last: datetime
    is_stretch: bool
    event_ids: Collection[UUID]


@value
class BilledRecord:
    """A window of usage on a final invoice, or on a draft, as it is kept; without terms nobody can rate it again."""

    invoice_id: UUID
    subscription_id: UUID
    is_periodic: bool
    billed_at: datetime
    from_at: datetime
    to_at: datetime
    wire_to_at: datetime
    full_from_at: datetime | None
    full_to_at: datetime | None
    finalized_at: datetime | None
    charges: Sequence[Charge] | None


@value
class BilledUsage:
    """The same with whose it is, and the charges on the code that was corrected."""

    invoice: Invoice | None
    """What stands for the invoice, which may have been made anew; None of fees that stand alone."""

    contract: Contract
    window: Window
    finalized_at: datetime | None
    """When its first invoice was final: what came later stays off it."""

    charges: Sequence[Charge]

    @property
    def is_void(self) -> bool:
        """Whether its invoice carries nothing any more."""
        return self.invoice is not None and self.invoice.status is InvoiceStatus.VOIDED

    @property
    def currency(self) -> str:
        """The currency of its amounts."""
        return self.contract.plan.amount_currency if self.invoice is None else self.invoice.currency

    @property
    def key(self) -> tuple[UUID, datetime]:
        """Its subscription and start."""
        return self.contract.subscription.id, self.window.period.start

    def key_of(self, item: Charge | Commitment) -> ItemKey:
        """The key of one of its charges, or of its plan's commitment."""
        charge_id = item.id if isinstance(item, Charge) else None
        return self.contract.subscription.id, charge_id, self.window.period.start


@value
class CommitmentTerms:
    """What of a commitment was held against a period: `days` of `full_days`, and what was spent, before adjustments.

    `period` is the part of a plan's period that was billed, `ends_at` the end of that one; `spent_cents` are minor units.
    """

    commitment: Commitment
    period: Period
    ends_at: datetime
    days: int
    full_days: int
    spent_cents: int

    def holds(self, start: datetime, end: datetime) -> bool:
        """Whether a window is of its period, be it that the customer lived elsewhere when that began (subscriptions §3.7)."""
        began = self.period.start
        if began - FARTHEST <= start < began:
            return end > began + FARTHEST
        if self.ends_at - FARTHEST <= start < self.ends_at:
            return end <= self.ends_at + FARTHEST
        return began <= start < self.ends_at


@value
class Settled:
    """A commitment that a final invoice held a period against, as it is kept."""

    invoice_id: UUID
    subscription_id: UUID
    finalized_at: datetime
    terms: CommitmentTerms


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
    to_at: datetime | None = None
    """The end of its window."""

    is_waiting: bool = False
    """Whether an invoice of an increase is not final yet, for it waits for its taxes."""

    spent_cents: int = 0
    """By how much the events differ from what was billed of them, on invoices that are not void."""

    void_cents: int = 0
    """The same on void ones."""


@value
class BilledItem:
    """What a charge, or a plan's commitment, was billed: its fees, with their taxes, and what was adjusted since, in minor units."""

    usage: BilledUsage
    item: Charge | Commitment
    fees: Mapping[LineKey, FeeRecord]
    taxes: tuple[Tax, ...]
    adjusted_cents: int
    forgone_cents: int
    pending_cents: int

    adjustment_fees: Sequence[FeeRecord]
    """Those that billed increases, the oldest first."""

    @property
    def key(self) -> ItemKey:
        """Its subscription, charge and window."""
        return self.usage.key_of(self.item)

    @property
    def name(self) -> str:
        """What documents call an adjustment of it."""
        contract, window = self.usage.contract, self.usage.window.period
        locale = contract.customer.document_locale or contract.customer_entity.document_locale
        return adjustment_name(
            self._item_name(locale),
            first=local_date(window.start, contract.timezone).isoformat(),
            last=local_date(window.last, contract.timezone).isoformat(),
            locale=locale,
        )

    def _item_name(self, locale: str) -> str:
        match self.item:
            case Charge():
                return self.item.invoice_display_name or self.item.billable_metric.name
            case Commitment():
                return self.item.invoice_display_name or commitment_name(locale)

    @property
    def fee_type(self) -> FeeType:
        """The type of its fees."""
        return FeeType.CHARGE if isinstance(self.item, Charge) else FeeType.COMMITMENT

    @property
    def stands_alone(self) -> bool:
        """Whether its fees are made on no invoice (pricing §8.2)."""
        return isinstance(self.item, Charge) and not self.item.invoiceable

    @property
    def is_never_invoiced(self) -> bool:
        """Whether they are not put on one either once they are paid."""
        return self.stands_alone and isinstance(self.item, Charge) and self.item.regroup_paid_fees is None

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

    @property
    def known_cents(self) -> int:
        """What it comes to, as far as corrections are known."""
        return self.billed_cents + self.adjusted_cents + self.forgone_cents + self.pending_cents


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

    billed: BilledItem
    lines: Sequence[CorrectedLine]
    amount_cents: int
    by_decrease: Sequence[FeeRecord]
    """The fees on the invoice, that of the line which comes to the least beside what it was first."""

    @property
    def is_alone(self) -> bool:
        """Whether a fee on no invoice is for it: of a decrease only where none of its fees is ever on one."""
        billed = self.billed
        return (
            billed.stands_alone
            if self.amount_cents > 0
            else self.amount_cents < 0 and billed.is_never_invoiced
        )

    @property
    def creditable(self) -> list[FeeRecord]:
        """The fees that a decrease is given back of, in order: the latest increases, then what was billed first."""
        return [*reversed(self.billed.adjustment_fees), *self.by_decrease]


@value
class Waived:
    """A decrease of a charge in a period that nothing was there to be given back of; minor units, below zero."""

    id: UUID
    subscription_id: UUID
    charge_id: UUID
    period: Period
    currency: str
    amount_cents: int

    def is_of(self, fee: FeeRecord) -> bool:
        """Whether a fee is of that charge and period; one on no invoice begins with the first day of it."""
        owner, charge_id, starts = fee.subscription_id, fee.charge_id, fee.from_at
        is_own = (owner, charge_id, fee.to_at) == (self.subscription_id, self.charge_id, self.period.end)
        return is_own and starts is not None and starts <= self.period.start

    def row(
        self,
        status: str,
        amount_cents: int,
        *,
        invoice_id: UUID,
        fee_id: UUID | None = None,
        credit_note_id: UUID | None = None,
    ) -> dict[str, Any]:
        """A part of it as a row."""
        return {
            "invoice_id": invoice_id,
            "subscription_id": self.subscription_id,
            "charge_id": self.charge_id,
            "from_at": self.period.start,
            "to_at": self.period.end,
            "status": status,
            "currency": self.currency,
            "amount_cents": amount_cents,
            "content": None,
            "fee_id": fee_id,
            "credit_note_id": credit_note_id,
        }


@value
class PendingAdjustment:
    """A difference that the next invoice of its subscription bills, as a fee of its own period."""

    id: UUID
    item: Charge | Commitment
    fee: Fee
    taxes: tuple[Tax, ...]
    period: Period
    name: str
