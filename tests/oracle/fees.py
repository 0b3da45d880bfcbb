"""The fees of one billing record: subscriptions §4, pricing §8.2, §10, §13."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fractions import Fraction

from tests.oracle.arithmetic import SUBUNITS, cents, half_away, round_at
from tests.oracle.days import DAY, TICK, days, local, start_of_day
from tests.oracle.life import Charge, Event, FixedCharge
from tests.oracle.prices import amount_of, fixed_amount_of
from tests.oracle.records import FixedBilled, Record, Subscription, UnitEvent, in_trial, windows
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
    """`subscription`, `charge`, `true_up`, `fixed_charge` or `commitment`."""
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
    starts: date
    """The first day of the period that it is for."""
    metric: str | None = None
    tax_codes: tuple[str, ...] = ()
    pricing_unit_cents: int | None = None
    coupons: Fraction = Fraction(0)
    taxes_cents: int = 0
    by_tax: dict[str, int] = field(default_factory=dict)
    stands_alone: bool = False
    """It is on no invoice (pricing §8.2)."""
    regroups: bool = False
    window_end: datetime | None = None
    """Of one that stands alone: the end of its charges period."""
    paid_at: datetime | None = None

    @property
    def taxable(self) -> Fraction:
        return self.amount_cents - self.coupons


def fees_of(one: Subscription, record: Record, arrived: list[Event], currency: str) -> list[Fee]:
    found: list[Fee] = []
    if has_subscription_fee(one, record):
        found.append(subscription_fee(one, record))
    found += usage_fees(one, record, arrived, currency)
    for fixed in one.plan.fixed_charges:
        found += fixed_fees(one, record, fixed, currency)
    record.reconciles = is_reconciled(one, record, found)
    found += commitment(one, record, found)
    record.fees = found
    return found


def usage_fees(
    one: Subscription, record: Record, arrived: list[Event], currency: str, *, alone: bool = True
) -> list[Fee]:
    """Of all charges, or of those that are on invoices."""
    if not record.with_charges or record.reason not in USAGE_REASONS:
        return []
    charges = [charge for charge in one.plan.charges if alone or charge.invoiceable]
    return [fee for charge in charges for fee in charge_fees(one, record, charge, arrived, currency)]


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
        starts=record.fee_start,
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
    if charge.pay_in_advance:
        for fee in found:  # it is the renewal, for the period that comes
            fee.starts, fee.stands_alone = local(window.full_end, one.zone), not charge.invoiceable
            fee.window_end = start_of_day(one.calendar.next_start(fee.starts, record.charges_unit), one.zone)
            fee.regroups = charge.regroups
    true_up = minimum(one, charge, window, found, currency)
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
            amount_cents, precise_cents, in_pricing_units = money(charge, amount, currency)
            yield Fee(
                kind="charge",
                subscription=one,
                code=charge.code,
                units=Fraction(0) if zero else units.full,
                amount_cents=amount_cents,
                precise_cents=precise_cents,
                count=units.count,
                filter=None if bucket is None else charge.filters.index(bucket),
                group=group,
                starts=window.first_day,
                metric=charge.metric.code,
                tax_codes=charge.tax_codes,
                pricing_unit_cents=in_pricing_units,
            )


def money(charge: Charge, amount: Fraction, currency: str) -> tuple[int, Fraction, int | None]:
    """§1.4 and, for prices in a pricing unit, §11: rounded cents, precise ones, and the pricing unit's."""
    if charge.conversion_rate is None:
        return cents(amount, currency), amount * SUBUNITS[currency], None
    in_pricing_units = half_away(amount * 100)
    fiat = in_pricing_units * Fraction(charge.conversion_rate) / 100
    return cents(fiat, currency), fiat * SUBUNITS[currency], in_pricing_units


def minimum(one: Subscription, charge: Charge, window: Window, found: list[Fee], currency: str) -> list[Fee]:
    """§10: the spending minimum's true-up; §11: compared in the pricing unit, then converted."""
    prorated = Fraction(charge.min_amount_cents * window.span, window.duration)
    in_units = charge.conversion_rate is not None
    used = sum((fee.pricing_unit_cents or 0) if in_units else fee.amount_cents for fee in found)
    if charge.pay_in_advance or used >= prorated:
        return []
    amount_cents, precise = half_away(prorated - used), prorated - sum(fee.precise_cents for fee in found)
    if in_units:
        amount_cents, precise, _ = money(charge, Fraction(amount_cents, 100), currency)
    return [
        Fee(
            kind="true_up",
            subscription=one,
            code=charge.code,
            units=Fraction(1),
            amount_cents=amount_cents,
            precise_cents=precise,
            starts=found[0].starts,
            metric=charge.metric.code,
            tax_codes=charge.tax_codes,
        )
    ]


# -- §15: the minimum commitment --------------------------------------------------------------------------


def commitment(one: Subscription, record: Record, found: list[Fee]) -> list[Fee]:
    plan, calendar = one.plan, one.calendar
    if not plan.commitment_cents or not record.reconciles:
        return []
    first = calendar.period_start(record.charges_start, plan.interval)
    begins = max(first, local(one.started, one.zone))
    ends = calendar.period_end(first, plan.interval)
    if one.status == "terminated" and one.terminated_at is not None:
        ends = min(ends, local(one.terminated_at, one.zone))
    share = Fraction((ends - begins).days + 1, calendar.length(first, plan.interval))
    committed = half_away(plan.commitment_cents * share)
    of_period = [
        fee
        for fee in [*(fee for r in one.records if r is not record for fee in r.fees), *found]
        if calendar.period_start(fee.starts, plan.interval) == first
    ]
    missing = committed - sum(fee.amount_cents for fee in of_period)
    if missing <= 0:
        return []
    return [
        Fee(
            kind="commitment",
            subscription=one,
            code="",
            units=Fraction(1),
            amount_cents=missing,
            precise_cents=committed - sum((fee.precise_cents for fee in of_period), Fraction(0)),
            starts=first,
            tax_codes=plan.commitment_tax_codes,
        )
    ]


def is_reconciled(one: Subscription, record: Record, found: list[Fee]) -> bool:
    """In arrears with the period's invoice, in advance with the next one that carries a base fee; at the end too."""
    if record.reason == "subscription_terminating":
        return True
    if record.reason != "subscription_periodic":
        return False
    has_fee = any(fee.kind == "subscription" for fee in found)
    if one.plan.pay_in_advance:
        return has_fee and any(r.has_fee for r in one.records)
    return has_fee or not one.monthly_split


# -- §13: fixed charges -----------------------------------------------------------------------------------


def fixed_fees(one: Subscription, record: Record, charge: FixedCharge, currency: str) -> list[Fee]:
    """§13.3: in arrears of the record's window, in advance of the period that begins or runs."""
    zone, calendar = one.zone, one.calendar
    if record.fixed is None:
        return []
    start, end = record.fixed
    first = record.fixed_start
    if charge.pay_in_advance:
        first = calendar.period_start(record.day, record.fixed_unit)
        start = max(start_of_day(first, zone), one.started)
        end = start_of_day(calendar.next_start(first, record.fixed_unit), zone)
        if one.status == "terminated" or fixed_billed(one, charge, first):
            return []
    elif record.reason in ("subscription_starting", "in_advance_charge") or start >= end:
        return []
    length = calendar.length(first, record.fixed_unit)
    u, u_full = fixed_units(one.units.get(charge.code, []), start, end, zone, length)
    amount = fixed_amount_of(charge, u if charge.prorated else u_full, u_full)
    found = fixed_fee(one, charge, first, u_full, amount, currency)
    if not found.units and not found.amount_cents:
        return []
    if charge.pay_in_advance:
        record.fixed_billed.append(FixedBilled(charge.code, first, u_full))
    return [found]


def fixed_billed(one: Subscription, charge: FixedCharge, first: date) -> list[FixedBilled]:
    return [b for r in one.records for b in r.fixed_billed if (b.code, b.start) == (charge.code, first)]


def fixed_units(
    told: list[UnitEvent], start: datetime, end: datetime, zone: str, length: int
) -> tuple[Fraction, Fraction]:
    """§13.2: prorated units and full ones, of events in the order of their creation."""
    before = [event for event in told if event.since < start]
    chosen = [e for e in told if start <= e.since < end or (before and e is before[-1])]
    if not chosen:
        return Fraction(0), Fraction(0)
    kept = [e for n, e in enumerate(chosen) if not any(later.since < e.since for later in chosen[n + 1 :])]
    begins = [local(max(event.since, start), zone) for event in kept]
    begins.append(local(end - TICK, zone) + DAY)
    u = Fraction(0)
    for event, day, until in zip(kept, begins, begins[1:], strict=False):
        u += max(Fraction(0), round_at(event.units * (until - day).days / length, 6))
    return u, chosen[-1].units


def unit_change_fee(
    one: Subscription, record: Record, charge: FixedCharge, units: Fraction, currency: str
) -> Fee:
    """§13.3: what an immediate change of units that are paid in advance costs."""
    first = one.calendar.period_start(record.day, one.fixed_unit)
    billed = fixed_billed(one, charge, first)
    had = sum((b.units for b in billed), Fraction(0))
    if units <= had:
        record.fixed_billed.append(FixedBilled(charge.code, first, Fraction(0)))
        return fixed_fee(one, charge, first, Fraction(0), Fraction(0), currency)
    record.fixed_billed.append(FixedBilled(charge.code, first, units - had))
    amount = fixed_amount_of(charge, units, units)
    if billed:
        amount -= fixed_amount_of(charge, had, had)
    if charge.prorated:
        last = one.calendar.period_end(first, one.fixed_unit)
        amount *= Fraction((last - record.day).days + 1, one.calendar.length(first, one.fixed_unit))
    return fixed_fee(one, charge, first, units - had, amount, currency)


def fixed_fee(
    one: Subscription, charge: FixedCharge, first: date, units: Fraction, amount: Fraction, currency: str
) -> Fee:
    return Fee(
        kind="fixed_charge",
        subscription=one,
        code=charge.code,
        units=units,
        amount_cents=cents(amount, currency),
        precise_cents=amount * SUBUNITS[currency],
        starts=first,
        tax_codes=charge.tax_codes,
    )
