"""What is about to be billed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tallymark.domain.calendar import Boundaries, Continuity, IssuingRules, Life
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.fixed_charge import UnitEvent
from tallymark.domain.fees.model import Fee, FeeType
from tallymark.domain.invoicing import InvoiceDraft
from tallymark.domain.periods import Period, local_date, to_second
from tallymark.domain.values import value
from tallymark.rooms.adjustments.model import CommitmentTerms
from tallymark.rooms.advance.model import TARGET_WALLET
from tallymark.rooms.coupons.model import Use
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.events.model import Event
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices.model import Invoice, Reason
from tallymark.rooms.plans.model import Charge, Commitment, FixedCharge
from tallymark.rooms.subscriptions.model import Contract, PaidBy
from tallymark.rooms.taxes.model import Tax
from tallymark.rooms.usage.model import ChargeLine


@value
class Subject:
    """A subscription on an invoice in the making: why, as of when, over which windows."""

    contract: Contract
    reason: Reason
    at: datetime
    boundaries: Boundaries

    @property
    def life(self) -> Life:
        """The subscription's life as this record may see it."""
        return life_as_billed(self.contract.life, self.reason, self.at)

    @property
    def is_recurring(self) -> bool:
        """Whether the calendar bills it."""
        return self.reason is Reason.PERIODIC

    @property
    def day(self) -> date:
        """The local day it is billed on."""
        return local_date(self.at, self.contract.timezone)


def life_as_billed(life: Life, reason: Reason, at: datetime) -> Life:
    """A life without the end that came in the very second of a bill, but after it.

    Only what is alive is billed for a start or by the calendar, so that an end of that second is younger than the bill: a
    draft that is computed anew stays what it was.
    """
    ended = life.terminated_at
    if reason is Reason.TERMINATING or ended is None or to_second(ended) > to_second(at):
        return life
    return replace(life, terminated_at=None)


@value
class Assumed:
    """What is taken for granted and not stored: subscriptions as they would be, by their ids, and what follows."""

    contracts: Mapping[UUID, Contract] = field(default_factory=dict)
    unit_events: Mapping[tuple[UUID, UUID], Sequence[UnitEvent]] = field(default_factory=dict)
    """The units of a subscription's fixed charge over time."""

    continuity: Mapping[UUID, Continuity] = field(default_factory=dict)
    """What the windows before force on the first of a subscription that is not stored."""

    billed: Sequence[Computed] = ()
    """Invoices that come before."""


NOTHING_ASSUMED = Assumed()


@value
class Line:
    """A fee with what it is for, and over which instants."""

    fee: Fee
    contract: Contract
    taxes: tuple[Tax, ...]
    period: Period
    usage: ChargeLine | None = None
    """Which charge, filter and group it is for."""

    fixed_charge: FixedCharge | None = None
    commitment: Commitment | None = None

    is_true_up: bool = False
    """Whether it fills the line before it up to its charge's minimum."""

    event: Event | None = None
    """The one event that a fee in advance is for."""

    display_name: str | None = None
    """What the invoice calls it, where that was told by hand."""

    stored: FeeRecord | None = None
    """A fee that was stored earlier, and comes without its usage."""

    adjustment_id: UUID | None = None
    """The difference that it bills of a period which was billed before."""

    @property
    def is_base_fee(self) -> bool:
        """Whether it is the plan's own price."""
        return self.fee.fee_type is FeeType.SUBSCRIPTION

    @property
    def is_adjustment(self) -> bool:
        """Whether it is no usage of its own, but what corrected events cost more than was billed."""
        return self.adjustment_id is not None or (self.stored is not None and self.stored.is_adjustment)

    @property
    def billable_metric_id(self) -> UUID | None:
        """The metric that it is for, None for what is not metered."""
        if self.charge is not None:
            return self.charge.billable_metric.id
        return self.stored.billable_metric_id if self.stored else None

    @property
    def target_wallet_code(self) -> str | None:
        """The wallet that its events name, where its charge lets them (metering §7.3)."""
        if self.usage is None or not self.usage.charge.accepts_target_wallet:
            return None
        return self.usage.grouped_by.get(TARGET_WALLET)

    @property
    def charge(self) -> Charge | None:
        """The charge of a usage line."""
        return self.usage.charge if self.usage else None


@value
class Source:
    """The latest progressive invoice of a window, and what of it is left to take over (minor units, before taxes).

    `fees` are its own, which are cumulative. `billed` are the standing ones among it and those before it, the latest
    first, each with what it billed itself.
    """

    invoice: Invoice
    available_cents: int
    fees: tuple[FeeRecord, ...]
    billed: tuple[tuple[Invoice, int], ...]


@value
class Credited:
    """What an invoice takes over of a source, and by how much more than the usage on it was billed (minor units)."""

    source: Source
    amount_cents: int
    excess_cents: int
    terms: Mapping[str, Any]
    """Which fee bears what of it."""


@value
class Computed:
    """An invoice computed and not yet written; `totals.fees` are in the order of `lines`."""

    subjects: tuple[Subject, ...]
    lines: tuple[Line, ...]
    totals: InvoiceDraft
    coupon_uses: tuple[Use, ...] = ()
    credited: tuple[Credited, ...] = ()
    rated: Mapping[UUID, Sequence[Charge]] = field(default_factory=dict)
    """The charges by which usage is billed, by subscription."""

    commitments: Mapping[UUID, CommitmentTerms] = field(default_factory=dict)
    """What commitments were held against, by subscription."""

    @property
    def customer(self) -> Customer:
        """Who pays."""
        return self.subjects[0].contract.customer

    @property
    def is_of_event(self) -> bool:
        """Whether it bills an event in advance."""
        return any(line.event is not None for line in self.lines)

    @property
    def issuing_rules(self) -> IssuingRules:
        """How it is dated."""
        return self.customer.issuing_rules(self.subjects[0].contract.customer_entity)


@value
class OneOffFee:
    """An add-on to be invoiced at once; None is what is left out. `unit_amount_cents` is in minor units."""

    add_on_code: str
    units: Fraction = Fraction(1)
    unit_amount_cents: int | None = None
    invoice_display_name: str | None = None
    description: str | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    tax_codes: Sequence[str] | None = None


@value
class OneOffInput:
    """A one-off invoice as it is asked for (invoicing §10.1)."""

    external_customer_id: str
    fees: Sequence[OneOffFee]
    currency: str | None = None
    billing_entity_code: str | None = None
    purchase_order_number: str | None = None
    skips_sections: bool = False
    section_codes: Sequence[str] | None = None
    skip_psp: bool = False
    paid_by: PaidBy | None = None


@value
class Failure:
    """A batch that could not be done: told to whoever moves the clock, and logged."""

    kind: str
    owner_id: UUID
    due_at: datetime
    error: str


GroupKey = tuple[UUID, str, UUID, str | None, str, UUID | None, UUID | None]
"""What subscriptions on one invoice share; the last is set for one that wants an invoice of its own."""

Defaults = Mapping[UUID, UUID]
"""Customers' default payment methods, by customer."""


def group_key(contract: Contract, defaults: Defaults) -> GroupKey:
    """Which invoice a subscription belongs on (subscriptions §5.2): by its effective payment method, among others."""
    subscription = contract.subscription
    method = subscription.payment_method_id
    if method is None and subscription.payment_method_type != "manual":
        method = defaults.get(contract.customer.id)
    return (
        contract.customer.id,
        contract.plan.amount_currency,
        contract.billing_entity.id,
        subscription.purchase_order_number,
        subscription.payment_method_type,
        method,
        None if subscription.consolidate_invoice else subscription.id,
    )


@value
class KeptFee:
    """A fee of a void invoice that the one in its place has too; None keeps what it has. `unit_amount` is in currency units."""

    fee_id: UUID
    units: Fraction | None = None
    unit_amount: Fraction | None = None
    invoice_display_name: str | None = None


@value
class ForeseenCredits:
    """The credits that would be bought, and where they go: `is_moved` where that is another wallet. `rate` in currency units.

    `settled_cents` is what the void invoice's own purchase has brought in, in minor units: it stays there.
    """

    wallet_id: UUID
    wallet_name: str | None
    wallet_code: str
    is_moved: bool
    rate: Fraction
    credits: Fraction
    settled_cents: int


@value
class Foreseen:
    """What an invoice in place of a void one would come to, before credit notes and wallets: what each fee that is kept is then, by
    its id in the void one (minor units, before coupons and taxes), and the whole. `credits` where it sells some.
    """

    fees: Mapping[UUID, int]
    currency: str
    totals: InvoiceDraft
    credits: ForeseenCredits | None = None
