"""The credit note for unused time of a plan in advance (subscriptions §4.6, invoicing §11.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from tests.oracle.arithmetic import half_away
from tests.oracle.days import local, start_of_day
from tests.oracle.life import Life
from tests.oracle.money import taxes_of
from tests.oracle.records import Subscription


@dataclass(frozen=True)
class Note:
    issuing_date: str
    item_cents: int
    coupons_cents: int
    taxes_cents: int
    total_cents: int


def unused_time(one: Subscription, life: Life, issuing_date: date) -> Note | None:
    """Of a subscription that has ended; to be asked before its last invoice is made."""
    plan, calendar, zone = one.plan, one.calendar, one.zone
    base_fees = [fee for r in one.records for fee in r.fees if fee.kind == "subscription"]
    if not plan.pay_in_advance or not base_fees or one.terminated_at is None:
        return None
    fee, today = base_fees[-1], local(one.terminated_at, zone)
    begins = calendar.period_start(today, plan.interval)
    ends = calendar.period_end(begins, plan.interval)
    is_first = start_of_day(begins, zone) < one.started
    is_billed = any(r.has_fee and r.fee_start == begins for r in one.records)
    if fee.amount_cents <= 0 or not (is_first or is_billed):
        return None
    upgrade = 1 if one.is_upgraded else 0
    unused = max((ends - today).days + upgrade, 0)
    trial_end = local(one.trial_end, zone)
    if plan.trial_days and trial_end >= today - timedelta(days=upgrade):
        unused = max((ends - min(ends, trial_end - timedelta(days=1))).days, 0)
    price = Fraction(plan.amount_cents * unused, calendar.length(begins, plan.interval))
    item = Fraction(int(min(price, Fraction(fee.amount_cents)) * 10**5), 10**5)
    if item <= 0:
        return None
    coupons = fee.coupons * item / fee.amount_cents
    rates = (Fraction(life.taxes[code]) for code in taxes_of(life, fee))
    taxes = sum(((item - coupons) * rate / 100 for rate in rates), Fraction(0))
    item_cents, coupons_cents, taxes_cents = half_away(item), half_away(coupons), half_away(taxes)
    total = half_away(item - coupons + taxes)
    lacking = half_away(item - coupons) - (total - taxes_cents)
    total += (lacking > 0) - (lacking < 0)
    if total == 0:  # a coupon had paid for all of it: a note has a positive total (invoicing §11.4)
        return None
    return Note(issuing_date.isoformat(), item_cents, coupons_cents, taxes_cents, total)
