"""From fees to an invoice's total: coupons (pricing §16.3), then taxes (pricing §2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from tests.oracle.arithmetic import half_away, round_at
from tests.oracle.fees import Fee
from tests.oracle.life import Coupon, Life, Plan


@dataclass(kw_only=True)
class AppliedCoupon:
    """A coupon that the customer has; the list of them is in the order of their creation."""

    coupon: Coupon
    used_cents: int = 0
    uses_left: int | None = None
    is_active: bool = True


@dataclass(kw_only=True)
class Totals:
    fees_cents: int
    coupons_cents: int = 0
    taxes_cents: int = 0
    taxes_rate: Fraction | None = None
    """Of what is taxed; the page weighs by numbers of fees where nothing is."""
    by_tax: dict[str, int] = field(default_factory=dict)

    @property
    def total_cents(self) -> int:
        return self.fees_cents - self.coupons_cents + self.taxes_cents


def total(life: Life, fees: list[Fee], applied: list[AppliedCoupon]) -> Totals:
    """Spread the coupons over the fees, tax what is left of them, and add up."""
    found = Totals(fees_cents=sum(fee.amount_cents for fee in fees))
    for one in sorted((a for a in applied if a.is_active), key=lambda a: rank(a.coupon)):
        if found.fees_cents - found.coupons_cents > 0:
            found.coupons_cents += use(one, fees, found.fees_cents - found.coupons_cents)
    exact = {code: Fraction(0) for code in life.taxes}
    for fee in fees:
        of_fee = {code: fee.taxable * Fraction(life.taxes[code]) / 100 for code in taxes_of(life, fee)}
        fee.taxes_cents = half_away(sum(of_fee.values(), Fraction(0)))
        fee.by_tax = {code: half_away(amount) for code, amount in of_fee.items()}
        for code, amount in of_fee.items():
            exact[code] += amount
    found.taxes_cents = half_away(sum(exact.values(), Fraction(0)))
    found.by_tax = {code: half_away(amount) for code, amount in exact.items()}
    subtotal = found.fees_cents - found.coupons_cents
    if subtotal > 0:
        weighted = (
            Fraction(life.taxes[code]) * fee.taxable / subtotal
            for fee in fees
            for code in taxes_of(life, fee)
        )
        found.taxes_rate = round_at(sum(weighted, Fraction(0)), 5)
    return found


def taxes_of(life: Life, fee: Fee) -> tuple[str, ...]:
    """§2: the first level that has any."""
    return fee.tax_codes or fee.subscription.plan.tax_codes or life.customer_taxes or life.entity_taxes


def rank(coupon: Coupon) -> int:
    return 0 if coupon.metrics else 1 if coupon.plans else 2


def is_eligible(coupon: Coupon, fee: Fee) -> bool:
    if coupon.metrics:
        return fee.metric in coupon.metrics
    return not coupon.plans or fee.subscription.plan.code in coupon.plans


def use(one: AppliedCoupon, fees: list[Fee], subtotal: int) -> int:
    """§16.3, steps 1 to 6: what one coupon takes off the invoice."""
    coupon = one.coupon
    eligible = [fee for fee in fees if is_eligible(coupon, fee)]
    if not eligible:
        return 0
    base = Fraction(subtotal)
    if coupon.metrics or coupon.plans:
        base = sum((fee.taxable for fee in eligible), Fraction(0))
    whole = int(base)
    if whole <= 0:
        return 0
    if coupon.percentage is not None:
        credit = min(whole, half_away(whole * Fraction(coupon.percentage) / 100))
    else:
        left = coupon.amount_cents - (one.used_cents if coupon.frequency == "once" else 0)
        credit = min(left, whole)
    for fee in eligible:
        share = round_at(credit * fee.taxable / base, 5)
        fee.coupons = min(fee.coupons + share, Fraction(fee.amount_cents))
    one.used_cents += credit
    if coupon.frequency == "recurring":
        assert one.uses_left is not None
        one.uses_left -= 1
        one.is_active = one.uses_left > 0
    elif coupon.frequency == "once":
        one.is_active = coupon.percentage is None and one.used_cents < coupon.amount_cents
    return credit


def overlaps(new: Coupon, old: Coupon, plans: list[Plan]) -> bool:
    """§16.2, of limited coupons."""
    metrics = {plan.code: {charge.metric.code for charge in plan.charges} for plan in plans}
    new_of_plans = {metric for plan in new.plans for metric in metrics[plan]}
    old_of_plans = {metric for plan in old.plans for metric in metrics[plan]}
    return bool(
        set(new.plans) & set(old.plans)
        or set(new.metrics) & set(old.metrics)
        or set(new.metrics) & old_of_plans
        or new_of_plans & set(old.metrics)
    )
