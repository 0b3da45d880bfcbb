"""What a subscription is, and which changes of status are legal (subscriptions §2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.domain.calendar import Life, Schedule
from tallymark.domain.exact import Fraction
from tallymark.domain.periods import BillingTime, Interval, Period, local_date, yearly_amount_cents
from tallymark.domain.values import value
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.entitlements.model import Entitlement, Grant
from tallymark.rooms.invoice_custom_sections.model import Section
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.plans.model import Plan, UsageThreshold


class Status(StrEnum):
    """Where a subscription stands."""

    PENDING = "pending"
    INCOMPLETE = "incomplete"
    ACTIVE = "active"
    TERMINATED = "terminated"
    CANCELED = "canceled"


CHANGES: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.ACTIVE, Status.INCOMPLETE, Status.CANCELED}),
    Status.INCOMPLETE: frozenset({Status.ACTIVE, Status.CANCELED}),
    Status.ACTIVE: frozenset({Status.TERMINATED}),
    Status.TERMINATED: frozenset(),
    Status.CANCELED: frozenset(),
}


class RuleStatus(StrEnum):
    """What became of a rule of activation."""

    INACTIVE = "inactive"
    PENDING = "pending"
    SATISFIED = "satisfied"
    DECLINED = "declined"
    FAILED = "failed"
    EXPIRED = "expired"
    NOT_APPLICABLE = "not_applicable"


RULE_CHANGES: dict[RuleStatus, frozenset[RuleStatus]] = {
    RuleStatus.INACTIVE: frozenset({RuleStatus.PENDING, RuleStatus.NOT_APPLICABLE}),
    RuleStatus.PENDING: frozenset({RuleStatus.SATISFIED, RuleStatus.FAILED, RuleStatus.EXPIRED}),
    RuleStatus.SATISFIED: frozenset(),
    RuleStatus.DECLINED: frozenset(),
    RuleStatus.FAILED: frozenset(),
    RuleStatus.EXPIRED: frozenset(),
    RuleStatus.NOT_APPLICABLE: frozenset(),
}
"""Which status of a rule may follow which (§2.10); a declined rule is reserved."""


class Reason(StrEnum):
    """Why a subscription was called off that waited for its first payment."""

    PAYMENT_FAILED = "payment_failed"
    TIMEOUT = "timeout"


@value
class ActivationRule:
    """What a subscription waits for: its first payment, so many hours at the most; 0 is for ever."""

    id: UUID
    subscription_id: UUID
    rule_type: str
    timeout_hours: int
    status: RuleStatus
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime


@value
class PaidBy:
    """How a subscription is paid: by hand, by one of the customer's methods, or by whichever is their default."""

    method_type: str = "provider"
    method_id: UUID | None = None


@value
class Subscription:
    """A customer on a plan; `subscription_at` is the anchor of its calendar, `started_at` when it began to be billed."""

    id: UUID
    customer_id: UUID
    plan_id: UUID
    billing_entity_id: UUID | None
    previous_subscription_id: UUID | None
    external_id: str
    name: str | None
    status: Status
    billing_time: BillingTime
    subscription_at: datetime
    started_at: datetime | None
    activated_at: datetime | None
    ending_at: datetime | None
    terminated_at: datetime | None
    canceled_at: datetime | None
    cancellation_reason: Reason | None
    trial_ended_at: datetime | None
    purchase_order_number: str | None
    consolidate_invoice: bool
    payment_method_type: str
    payment_method_id: UUID | None
    progressive_billing_disabled: bool
    on_termination_credit_note: str | None
    on_termination_invoice: str
    skip_invoice_custom_sections: bool
    created_at: datetime
    updated_at: datetime
    counts_from: datetime | None = None
    """Before it no usage is billed: those periods were over when the subscription was made, or another one was in force while it
    waited for its first payment. None: from the start on."""

    taken_over_at: datetime | None = None
    """When it was taken over from another system, which billed all that was due by then; None for one that began here."""

    made_elsewhere_at: datetime | None = None
    """When it was made in that system."""

    was_billed_elsewhere: bool = False
    """Whether that system billed its base price, be it in part, before it was taken over."""

    usage_ends_at: datetime | None = None
    """The end of the usage of one that has ended, exclusive: the instant of its end is inside, but for an end with a day (§3.9)."""

    @property
    def made_at(self) -> datetime:
        """When it was made, wherever that was: with its start it decides whether it began in the past (§2.5)."""
        return self.made_elsewhere_at or self.created_at

    def was_billed_until(self, at: datetime) -> bool:
        """Whether another system billed what was due at an instant."""
        return self.taken_over_at is not None and at <= self.taken_over_at


def check_change(subscription: Subscription, to: Status) -> None:
    """State that a change of status is a legal one; any other is a defect of the caller."""
    if to not in CHANGES[subscription.status]:
        raise AssertionError(f"a subscription that is {subscription.status} does not become {to}")


@value
class Neighbour:
    """The subscription before or after one in a chain of plan changes; its price decides which way the change went."""

    id: UUID
    status: Status
    plan_code: str
    yearly_amount_cents: int
    started_at: datetime | None
    created_at: datetime
    terminated_at: datetime | None = None
    usage_ends_at: datetime | None = None


@value
class Relations:
    """What stands around a subscription: its neighbours in the chain, and the first start under its external id."""

    predecessor: Neighbour | None = None
    successor: Neighbour | None = None
    """The latest-created one that is not canceled."""

    first_started_at: datetime | None = None


ALONE = Relations()


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A subscription with whom and what it binds: everything its calendar follows from, which is found once."""

    subscription: Subscription
    customer: Customer
    plan: Plan
    billing_entity: BillingEntity
    """The entity that issues its invoices: its own, else the customer's."""

    customer_entity: BillingEntity
    """The customer's entity: time zone, terms and taxes are inherited from it alone."""

    relations: Relations = ALONE

    @property
    def yearly_amount_cents(self) -> int:
        """What its plan comes to in a year (§2.4)."""
        return yearly_amount_cents(self.plan.amount_cents, Interval(self.plan.interval))

    @property
    def was_upgraded_to(self) -> bool:
        """Whether it follows a subscription that was not dearer: equal counts as an upgrade (§2.4).

        Of one that has ended the way of its end tells: prices may have changed since.
        """
        before, started_at = self.relations.predecessor, self.subscription.started_at
        if before is None:
            return False
        if before.terminated_at is not None and before.terminated_at == started_at:
            return not _ended_with_period(before)
        return self.yearly_amount_cents >= before.yearly_amount_cents

    @cached_property
    def trial_end(self) -> datetime | None:
        """When its trial ends, counted from the first start under its external id; None without one (§4.5)."""
        if not self.plan.trial_period:
            return None
        start = self.relations.first_started_at or self.subscription.subscription_at
        microseconds = Fraction(self.plan.trial_period) * 86_400_000_000
        return start + timedelta(microseconds=int(microseconds))

    def is_in_trial(self, at: datetime) -> bool:
        """Whether its trial runs at an instant: one that has ended does not run again, though it be longer now (§4.5)."""
        end, ended_at = self.trial_end, self.subscription.trial_ended_at
        return end is not None and end > at and (ended_at is None or ended_at > at)

    def is_back_dated(self, on: datetime) -> bool:
        """Whether its anchor lies on an earlier local day than that of an instant, and it follows no other (§2.5).

        Its start is not invoiced then, though it begin today because the one before it ended today.
        """
        anchor, zone = self.subscription.subscription_at, self.timezone
        follows = self.subscription.previous_subscription_id is not None
        return not follows and local_date(anchor, zone) < local_date(on, zone)

    @cached_property
    def timezone(self) -> ZoneInfo:
        """The customer's applicable time zone."""
        return ZoneInfo(self.customer.applicable_timezone(self.customer_entity))

    @cached_property
    def schedule(self) -> Schedule:
        """The rules of its calendar."""
        return Schedule(
            interval=Interval(self.plan.interval),
            billing_time=self.subscription.billing_time,
            is_pay_in_advance=self.plan.pay_in_advance,
            bills_charges_monthly=bool(self.plan.bill_charges_monthly),
            bills_fixed_charges_monthly=bool(self.plan.bill_fixed_charges_monthly),
            subscription_at=self.subscription.subscription_at,
            tz=self.timezone,
        )

    @cached_property
    def life(self) -> Life:
        """When it began and ended. Only a started subscription has one."""
        assert self.subscription.started_at is not None, "a pending subscription has no billing periods"
        after = self.relations.successor
        if after is not None and after.status is Status.INCOMPLETE:
            after = None  # what waits for its payment may never follow
        return Life(
            started_at=self.subscription.started_at,
            terminated_at=self.subscription.terminated_at,
            has_successor=after is not None,
            is_downgraded=after is not None and self._ends_with_its_period(after),
        )

    def _ends_with_its_period(self, after: Neighbour) -> bool:
        """Whether a cheaper plan follows, at a period's end: one that was paid for later cuts a period short (§2.10).

        Of one that has ended the way of its end tells: prices may have changed since.
        """
        if self.subscription.terminated_at is not None:
            return _ended_with_period(self.subscription)
        return after.yearly_amount_cents < self.yearly_amount_cents


def _ended_with_period(ended: Subscription | Neighbour) -> bool:
    """Whether another plan took over as a period ended: the instant of its end is not inside then (§3.9)."""
    return ended.usage_ends_at is not None and ended.usage_ends_at == ended.terminated_at


@value
class SubscriptionView:
    """A contract as a reader sees it at an instant."""

    contract: Contract
    current_period: Period | None
    downgrade_plan_date: date | None = None
    rules: Sequence[ActivationRule] = ()


@value
class Details:
    """A subscription with all that hangs on it: the sections that it selects itself, the thresholds that apply."""

    view: SubscriptionView
    sections: Sequence[Section]
    thresholds: Sequence[UsageThreshold]
    plan_grants: Sequence[Grant]
    entitlements: Sequence[Entitlement]


@value
class Filters:
    """Which subscriptions a list shows; None means any."""

    external_customer_id: str | None = None
    external_id: str | None = None
    plan_code: str | None = None
    currency: str | None = None
    statuses: tuple[Status, ...] = (Status.ACTIVE,)
    is_overridden: bool | None = None
    billing_entity_codes: tuple[str, ...] = ()
    search_term: str | None = None


@value
class OwnUnits:
    """Units of a fixed charge that a subscription has instead of its plan's."""

    units: Decimal
    apply_immediately: bool
