"""From fees to issued invoices: drafts, their refresh, dates, coupons and credit notes (invoicing §3, §5 and §6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.oracle import fees, money
from tests.oracle.arithmetic import round_at
from tests.oracle.days import local
from tests.oracle.fees import Fee
from tests.oracle.life import Coupon, Event, Life
from tests.oracle.money import AppliedCoupon, Totals
from tests.oracle.notes import Note, unused_time
from tests.oracle.records import Record, Subscription

STATE = ("status", "terminated_at", "next")
"""What a draft's refresh must see of a subscription as it was when the draft was made."""


@dataclass(kw_only=True)
class Part:
    """One subscription's part of an invoice, and how the subscription stood when it was made."""

    one: Subscription
    record: Record
    stood: dict[str, Any]


@dataclass(eq=False, kw_only=True)
class Invoice:
    at: datetime
    issuing_date: date
    records: list[Record] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    fees: list[Fee] = field(default_factory=list)
    totals: Totals = field(default_factory=lambda: Totals(fees_cents=0))
    is_draft: bool = False
    owed_notes: list[Subscription] = field(default_factory=list)
    """Ended while this was a draft: their unused time is credited once it is final."""

    @property
    def can_wait(self) -> bool:
        """Invoices of events and of unit changes have no grace period (§3)."""
        return any(not record.is_of_event for record in self.records)

    @property
    def is_recurring(self) -> bool:
        return self.records[0].recurring


class Issuer:
    """A customer's invoices, fees on none, coupons and credit notes."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.invoices: list[Invoice] = []
        self.standalone: list[Fee] = []
        self.coupons: list[AppliedCoupon] = []
        self.notes: list[Note] = []

    # -- making -------------------------------------------------------------------------------------------

    def issue(self, made: Invoice) -> date | None:
        """Finalize it, or make it a draft and return the day on which it is final."""
        day = local(made.at, self.life.zone)
        self.invoices.append(made)
        if made.can_wait:
            made.issuing_date = day + timedelta(days=self.shift(recurring=made.is_recurring))
            if self.life.grace_days:
                made.is_draft = True
                made.totals = money.total(self.life, made.fees, [])
                return day + timedelta(days=self.life.grace_days)
        made.totals = money.total(self.life, made.fees, self.coupons)
        return None

    def shift(self, *, recurring: bool) -> int:
        """§3: from the billing day to the issuing date."""
        life = self.life
        if not recurring:
            return life.grace_days
        if life.anchor == "current_period_end" and (life.keeps_anchor or not life.grace_days):
            return -1
        return 0 if life.keeps_anchor else life.grace_days

    def finalize(self, draft: Invoice, due: datetime, arrived: list[Event]) -> None:
        """§6: refresh, with coupons; dated as of the due instant, but for what keeps its anchor."""
        draft.fees = [fee for part in draft.parts for fee in refreshed(part, arrived, self.life.currency)]
        draft.is_draft = False
        draft.totals = money.total(self.life, draft.fees, self.coupons)
        if not (draft.is_recurring and self.life.keeps_anchor):
            draft.issuing_date = local(due, self.life.zone)
        for one in draft.owed_notes:
            self.credit_unused_time(one, due)

    def stand_alone(self, found: list[Fee]) -> None:
        for fee in found:
            money.total(self.life, [fee], [])
        self.standalone += found

    # -- invoicing §7.4 -----------------------------------------------------------------------------------

    def regroup(self, external_ids: set[str], at: datetime, *, ended_by: datetime | None) -> None:
        """Put paid fees on an invoice of their own: nothing is computed again."""
        found = [
            fee
            for fee in self.standalone
            if fee.regroups
            and fee.subscription.external_id in external_ids
            and fee.paid_at is not None
            and fee.paid_at <= at
            and (ended_by is None or (fee.window_end is not None and fee.window_end <= ended_by))
        ]
        if not found:
            return
        self.standalone = [fee for fee in self.standalone if fee not in found]
        totals = Totals(
            fees_cents=sum(fee.amount_cents for fee in found),
            taxes_cents=sum(fee.taxes_cents for fee in found),
        )
        for fee in found:
            for code, amount in fee.by_tax.items():
                totals.by_tax[code] = totals.by_tax.get(code, 0) + amount
        if totals.fees_cents:
            totals.taxes_rate = round_at(Fraction(totals.taxes_cents * 100, totals.fees_cents), 2)
        day = local(at, self.life.zone)
        self.invoices.append(Invoice(at=at, issuing_date=day, fees=found, totals=totals))

    # -- coupons and credit notes -------------------------------------------------------------------------

    def apply_coupon(self, coupon: Coupon) -> None:
        """Pricing §16.2."""
        for old in self.coupons:
            if old.is_active and money.overlaps(coupon, old.coupon, self.life.plans):
                return
        self.coupons.append(AppliedCoupon(coupon=coupon, uses_left=coupon.duration))

    def credit_unused_time(self, one: Subscription, at: datetime) -> None:
        """Subscriptions §4.6; what a draft holds is credited when it is final (docs/differences.md)."""
        paid_for = [
            i
            for i in self.invoices
            if any(f.kind == "subscription" and f.subscription is one for f in i.fees)
        ]
        if paid_for and paid_for[-1].is_draft:
            paid_for[-1].owed_notes.append(one)
            return
        note = unused_time(one, self.life, local(at, self.life.zone))
        self.notes += [note] if note else []


@contextmanager
def as_it_stood(part: Part) -> Iterator[None]:
    stands = {name: getattr(part.one, name) for name in STATE}
    vars(part.one).update(part.stood)
    try:
        yield
    finally:
        vars(part.one).update(stands)


def part_of(one: Subscription, record: Record) -> Part:
    return Part(one=one, record=record, stood={name: getattr(one, name) for name in STATE})


def refreshed(part: Part, arrived: list[Event], currency: str) -> list[Fee]:
    """The fees of a part with all events that have come by now; what is due for time alone stays as it is."""
    one, record = part.one, part.record
    with as_it_stood(part):
        kept = [
            fee for fee in record.fees if fee.kind in ("subscription", "fixed_charge") or fee.stands_alone
        ]
        record.fees = [*kept, *fees.usage_fees(one, record, arrived, currency, alone=False)]
        record.fees += fees.commitment(one, record, record.fees)
    return [fee for fee in record.fees if not fee.stands_alone]


def utc_midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
