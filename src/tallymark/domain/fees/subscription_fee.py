"""The base price of a plan on one billing record: whether it is due, and how much of it (subscriptions §4.3-4.5)."""

from __future__ import annotations

from datetime import UTC, date, datetime

from tallymark.domain.calendar import Boundaries, Life, Schedule, is_first_month
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import Fee, FeeType, Step, rounding_step
from tallymark.domain.fees.proration import prorate
from tallymark.domain.money import Currency, major_units, plain_text, round_cents
from tallymark.domain.periods import BillingTime, Interval, days, local_date, start_of_day, to_second
from tallymark.domain.values import value


@value
class SubscriptionFeeFacts:
    """What the fee follows from. `amount_cents` is the plan's price; instants are the subscription's."""

    amount_cents: int
    schedule: Schedule
    life: Life
    boundaries: Boundaries
    at: datetime
    created_at: datetime
    is_starting_record: bool = False
    has_earlier_fee: bool = False
    is_billed_on_this_day: bool = False
    has_predecessor: bool = False
    is_first_after_upgrade: bool = False
    trial_end: datetime | None = None
    is_in_trial: bool = False

    @property
    def day(self) -> date:
        """The local day it is billed on."""
        return local_date(self.at, self.schedule.tz)

    @property
    def started_in_the_past(self) -> bool:
        """Whether it was created with a start on an earlier UTC day (§2.5)."""
        return self.life.started_at.astimezone(UTC).date() < self.created_at.astimezone(UTC).date()

    @property
    def is_terminated(self) -> bool:
        """Whether the subscription had ended when it was billed; what came later does not change an old record."""
        ended = self.life.terminated_at
        return ended is not None and to_second(ended) <= to_second(self.at)


def is_subscription_fee_due(facts: SubscriptionFeeFacts) -> bool:
    """Whether this billing record carries the base price (§4.3)."""
    schedule = facts.schedule
    if schedule.is_pay_in_advance and facts.is_billed_on_this_day:
        return False
    if schedule.interval in (Interval.YEARLY, Interval.SEMIANNUAL) and not _is_due_this_month(facts):
        return False
    if facts.is_in_trial and not (facts.trial_end and local_date(facts.trial_end, schedule.tz) == facts.day):
        return False
    if facts.is_starting_record and not schedule.is_pay_in_advance:
        return False
    return not facts.is_terminated or not schedule.is_pay_in_advance


def _is_due_this_month(facts: SubscriptionFeeFacts) -> bool:
    """A yearly or semiannual price is due in the first month of its period (§4.3, rule 2)."""
    schedule, day = facts.schedule, facts.day
    in_first = is_first_month(schedule, day)
    if not schedule.is_pay_in_advance:
        return facts.is_terminated or in_first
    if not facts.started_in_the_past:
        return in_first or not facts.has_earlier_fee
    month = schedule.cycle(Interval.MONTHLY).period_start(day)
    return in_first and (month.year, month.month) != _first_month_of_all(schedule)


def _first_month_of_all(schedule: Schedule) -> tuple[int, int]:
    anchor = schedule.anchor
    if schedule.billing_time is BillingTime.CALENDAR:
        anchor = schedule.cycle().period_start(anchor)
    return anchor.year, anchor.month


def compute_subscription_fee(facts: SubscriptionFeeFacts, currency: Currency) -> Fee | None:
    """The base price for this record, None when none is due. An amount of zero is a fee all the same (§4.4)."""
    if not is_subscription_fee_due(facts):
        return None
    counted, is_full = _counted_days(facts)
    full_days = facts.boundaries.subscription.full_days
    precise = (
        Fraction(facts.amount_cents) if is_full else prorate(facts.amount_cents, days=counted, of=full_days)
    )
    cents = round_cents(precise)
    return Fee(
        fee_type=FeeType.SUBSCRIPTION,
        units=Fraction(1),
        total_aggregated_units=Fraction(1),
        events_count=None,
        amount_cents=cents,
        precise_amount_cents=precise,
        precise_unit_amount=major_units(cents, currency),
        unit_amount_cents=cents,
        amount_details={"plan_amount_cents": facts.amount_cents},
        explanation=tuple(_explain(facts, counted, is_full=is_full, precise=precise)),
    )


def _counted_days(facts: SubscriptionFeeFacts) -> tuple[int, bool]:
    """How many days are charged, and whether the price is due in full whatever the days say (§4.4, §4.5)."""
    window, tz = facts.boundaries.subscription.period, facts.schedule.tz
    start, last = window.start, window.last
    trial_end = facts.trial_end
    if trial_end is not None and trial_end >= last:
        return 0, False
    starts_after_trial = trial_end is not None and start < trial_end
    if starts_after_trial and trial_end is not None:
        start = trial_end
    counted = days(start, last, tz)
    is_final = facts.is_terminated and not facts.schedule.is_pay_in_advance
    if is_final and (facts.life.has_successor and not facts.life.is_downgraded):
        return max(counted - 1, 0), False
    if is_final and not facts.life.has_successor:
        return counted, False
    return counted, not starts_after_trial and not facts.is_first_after_upgrade and _is_full_price(facts)


def _is_full_price(facts: SubscriptionFeeFacts) -> bool:
    """Rule 3 of §4.4: only a first partial period is prorated."""
    schedule = facts.schedule
    if schedule.is_pay_in_advance:
        is_anniversary = schedule.billing_time is BillingTime.ANNIVERSARY
        if (is_anniversary and not facts.has_predecessor) or facts.started_in_the_past:
            return True
    if facts.has_earlier_fee:
        return True
    cycle = schedule.cycle()
    billed_start = cycle.period_start(cycle.back(facts.day))
    return facts.started_in_the_past and facts.life.started_at < start_of_day(billed_start, schedule.tz)


def _explain(facts: SubscriptionFeeFacts, counted: int, *, is_full: bool, precise: Fraction) -> list[Step]:
    window = facts.boundaries.subscription
    steps: list[Step] = [
        {
            "step": "period",
            "from": window.period.start.isoformat().replace("+00:00", "Z"),
            "to": window.period.end.isoformat().replace("+00:00", "Z"),
            "timezone": facts.schedule.tz.key,
        },
        {"step": "base_amount", "amount_cents": facts.amount_cents},
    ]
    if not is_full:
        fraction = f"{counted}/{window.full_days}"
        steps.append({"step": "proration", "fraction": fraction, "amount_cents": plain_text(precise, 15)})
    return [*steps, rounding_step(round_cents(precise))]
