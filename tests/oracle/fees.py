"""The fees of one billing record: subscriptions §4, pricing §8.2, §10, §13."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from tests.oracle.arithmetic import SUBUNITS, cents, half_away, round_at
from tests.oracle.days import TICK, cal_days, days, local, start_of_day
from tests.oracle.life import Charge, Event, FixedCharge
from tests.oracle.prices import amount_of, fixed_amount_of
from tests.oracle.records import Record, Subscription, in_trial, windows
from tests.oracle.units import (
    Group,
    Window,
    bucket_of,
    buckets,
    candidates,
    group_of,
    groups,
    units_of,
)

USAGE_REASONS = ("subscription_periodic", "subscription_terminating")


@dataclass(kw_only=True)
class Fee:
    kind: str
    """`subscription`, `charge`, `true_up` or `fixed_charge`."""
    subscription: Subscription
    code: str
    """The charge's or fixed charge's; empty otherwise."""
    units: Fraction
    amount_cents: int
    precise_cents: Fraction
    count: int = 0
    filter: int | None = None
    """The place of the filter in the charge's list; None for the default bucket."""
    group: Group = ()


def fees_of(one: Subscription, record: Record, arrived: list[Event], currency: str) -> list[Fee]:
    found: list[Fee] = []
    if has_subscription_fee(one, record):
        found.append(subscription_fee(one, record))
    if record.with_charges and record.reason in USAGE_REASONS:
        for charge in one.plan.charges:
            found += charge_fees(one, record, charge, arrived, currency)
    for fixed in one.plan.fixed_charges:
        found += fixed_fees(one, record, fixed, currency)
    return found


# -- subscriptions §4.3 and §4.4: the base price ------------------------------------------------------------


def has_subscription_fee(one: Subscription, record: Record) -> bool:
    plan = one.plan
    if plan.pay_in_advance and any(r.has_fee and r.day == record.day for r in one.records):
        return False
    if plan.interval in ("yearly", "semiannual") and not is_plan_month(one, record):
        return False
    if in_trial(one, record.at) and local(one.trial_end, one.zone) != record.day:
        return False
    if not plan.pay_in_advance and record.reason in ("subscription_starting", "in_advance_charge"):
        return False
    return not (one.status == "terminated" and plan.pay_in_advance)


def is_plan_month(one: Subscription, record: Record) -> bool:
    """§4.3 rule 2: on monthly days of a longer plan there is no base fee."""
    first = one.calendar.first_month(record.day, one.plan.interval)
    if not one.plan.pay_in_advance:
        return one.status == "terminated" or first
    if not one.is_started_in_the_past:
        return first or not any(r.has_fee for r in one.records)
    anchor = one.calendar.anchor
    very_first = one.calendar.period_start(anchor, one.plan.interval)
    month = one.calendar.period_start(record.day, "monthly")
    return first and (month.year, month.month) != (very_first.year, very_first.month)


def is_periodic_fee_day(one: Subscription, day: date) -> bool:
    at = start_of_day(day, one.zone)
    record = windows(one, at, "subscription_periodic", current=False, terminated_at=None)
    return has_subscription_fee(one, record)


def subscription_fee(one: Subscription, record: Record) -> Fee:
    precise = base_price(one, record)
    return Fee(
        kind="subscription",
        subscription=one,
        code="",
        units=Fraction(1),
        amount_cents=half_away(precise),
        precise_cents=precise,
    )


def base_price(one: Subscription, record: Record) -> Fraction:
    """§4.4, in cents."""
    plan, zone = one.plan, one.zone
    start, to = record.fee_from, record.fee_to
    length = one.calendar.length(record.fee_start, plan.interval)
    in_trial_until = one.trial_end if plan.trial_days else start
    if in_trial_until >= to:
        return Fraction(0)
    cut = in_trial_until > start
    start = max(start, in_trial_until)
    is_ended_arrears = one.status == "terminated" and not plan.pay_in_advance and not one.is_downgraded
    counted = days(start, to, zone)
    if is_ended_arrears:
        length = one.calendar.length(local(record.fee_from, zone), plan.interval)
        counted = max(counted - 1, 0) if one.is_upgraded else counted
    elif not cut and not is_first_after_upgrade(one) and is_full(one, record):
        return Fraction(plan.amount_cents)
    return Fraction(counted * plan.amount_cents, length)


def is_first_after_upgrade(one: Subscription) -> bool:
    return one.previous is not None and one.previous.is_upgraded and not one.records


def is_full(one: Subscription, record: Record) -> bool:
    """Rule 3."""
    plan, calendar = one.plan, one.calendar
    ref = calendar.period_start(calendar.back(record.day, plan.interval), plan.interval)
    return (
        (plan.pay_in_advance and one.billing_time == "anniversary" and one.previous is None)
        or any(r.has_fee for r in one.records)
        or (one.is_started_in_the_past and plan.pay_in_advance)
        or (one.is_started_in_the_past and one.started < start_of_day(ref, one.zone))
    )


# -- usage charges ----------------------------------------------------------------------------------------


def usage_window(one: Subscription, record: Record) -> Window | None:
    if record.charges is None or record.charges[0] >= record.charges[1]:
        return None
    start, unit, calendar = record.charges_start, record.charges_unit, one.calendar
    return Window(
        zone=one.zone,
        start=record.charges[0],
        end=record.charges[1],
        full_start=start_of_day(start, one.zone),
        full_end=start_of_day(calendar.next_start(start, unit), one.zone),
        duration=calendar.length(start, unit),
        upgraded=one.status == "terminated" and one.is_upgraded,
    )


def charge_fees(
    one: Subscription, record: Record, charge: Charge, arrived: list[Event], currency: str
) -> list[Fee]:
    """Pricing §6, §10; which charges an invoice has: subscriptions §5.1, pricing §8.2."""
    window, recurring, ended = usage_window(one, record), charge.metric.recurring, one.status == "terminated"
    if window is None:
        return []
    if charge.pay_in_advance and (not recurring or (ended and not one.is_downgraded)):
        return []
    if ended and one.is_upgraded and recurring and not charge.prorated and goes_on(one, charge):
        return []
    if charge.pay_in_advance:  # the renewal prices full units
        charge = replace(charge, prorated=False)
    found = list(fees_in(one, charge, window, arrived, currency))
    true_up = minimum(one, charge, window, found)
    parent = next(fee for fee in found if fee.filter is None)
    kept = [f for f in found if f.units or f.amount_cents or f.count or (true_up and f is parent)]
    return [*kept, *true_up]


def goes_on(one: Subscription, charge: Charge) -> bool:
    assert one.next is not None
    return any(other.metric.code == charge.metric.code for other in one.next.plan.charges)


def fees_in(
    one: Subscription, charge: Charge, window: Window, events: Iterable[Event], currency: str
) -> Iterator[Fee]:
    """One fee for each bucket and group, zero ones included."""
    found = candidates(events, charge, one.external_id, window.end)
    for bucket, properties in buckets(charge):
        scope = [event for event in found if bucket_of(event, charge) is bucket]
        for group in groups(scope, charge, properties, window):
            units = units_of([e for e in scope if group_of(e, properties) == group], charge, window)
            amount = amount_of(charge, properties, units, currency)
            zero = units.full < 0 or units.priced < 0
            yield Fee(
                kind="charge",
                subscription=one,
                code=charge.code,
                units=Fraction(0) if zero else units.full,
                amount_cents=cents(amount, currency),
                precise_cents=amount * SUBUNITS[currency],
                count=units.count,
                filter=None if bucket is None else charge.filters.index(bucket),
                group=group,
            )


def minimum(one: Subscription, charge: Charge, window: Window, found: list[Fee]) -> list[Fee]:
    """§10: the spending minimum's true-up."""
    prorated = Fraction(charge.min_amount_cents * window.span, window.duration)
    used = sum(fee.amount_cents for fee in found)
    if charge.pay_in_advance or used >= prorated:
        return []
    precise = prorated - sum(fee.precise_cents for fee in found)
    return [
        Fee(
            kind="true_up",
            subscription=one,
            code=charge.code,
            units=Fraction(1),
            amount_cents=half_away(prorated - used),
            precise_cents=precise,
        )
    ]


# -- §13: fixed charges -----------------------------------------------------------------------------------


def fixed_fees(one: Subscription, record: Record, charge: FixedCharge, currency: str) -> list[Fee]:
    """Units that never change: one unit event, when the subscription starts."""
    zone, calendar = one.zone, one.calendar
    if record.fixed is None:
        return []
    start, end = record.fixed
    first = record.fixed_start
    if charge.pay_in_advance:
        if one.status == "terminated":
            return []
        first = calendar.period_start(record.day, record.fixed_unit)
        start = max(start_of_day(first, zone), one.started)
        end = start_of_day(calendar.next_start(first, record.fixed_unit), zone)
        if any(start in r.fixed_billed for r in one.records):
            return []
        record.fixed_billed.append(start)
    elif record.reason in ("subscription_starting", "in_advance_charge"):
        return []
    u_full = Fraction(charge.units)
    if one.started + timedelta(seconds=1) >= end:
        u_full = Fraction(0)
    u = u_full
    if charge.prorated:
        share = Fraction(max(cal_days(start, end - TICK, zone), 0), calendar.length(first, record.fixed_unit))
        u = round_at(u_full * share, 6)
    amount = fixed_amount_of(charge, u, u_full)
    if not u_full and not amount:
        return []
    return [
        Fee(
            kind="fixed_charge",
            subscription=one,
            code=charge.code,
            units=u_full,
            amount_cents=cents(amount, currency),
            precise_cents=amount * SUBUNITS[currency],
        )
    ]
