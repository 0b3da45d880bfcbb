"""What coupons take off an invoice before taxes, and how that is spread over its fees (pricing §16.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing.model import CouponCredit, InvoicedFee, InvoiceDraft
from tallymark.domain.money import round_cents, round_half_away


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """A discount as an invoice sees it.

    `amount_cents` is what a fixed one gives to this invoice at the most: what is left of it, where it is given once.
    `rate` is in percent. `covers` are the positions of the fees that it is limited to, None where it is for all.
    """

    amount_cents: int | None = None
    rate: Fraction = Fraction(0)
    covers: frozenset[int] | None = None


def apply_coupons(draft: InvoiceDraft, coupons: Sequence[Coupon]) -> InvoiceDraft:
    """Take coupons off, one after the other in the order given, while anything is left."""
    for position, coupon in enumerate(coupons):
        if draft.sub_total_excluding_taxes_amount_cents <= 0:
            break
        draft = _apply(draft, position, coupon)
    return draft


def _apply(draft: InvoiceDraft, position: int, coupon: Coupon) -> InvoiceDraft:
    covered = coupon.covers
    eligible = [covered is None or index in covered for index in range(len(draft.fees))]
    sub_total = draft.sub_total_excluding_taxes_amount_cents
    base = Fraction(sub_total) if covered is None else _left(draft, covered)
    if base < 1:
        return draft
    # Less than half a cent is a use all the same: it is the invoice that counts (§16.3).
    credit = min(_credit(coupon, base), sub_total)
    fees = tuple(
        _share(line, credit, base) if is_one else line
        for line, is_one in zip(draft.fees, eligible, strict=True)
    )
    shares = tuple(
        (index, fees[index].precise_coupons_amount_cents - line.precise_coupons_amount_cents)
        for index, line in enumerate(draft.fees)
        if eligible[index]
    )
    taken = CouponCredit(position=position, amount_cents=credit, base_cents=base, shares=shares)
    return replace(
        draft,
        fees=fees,
        coupons_amount_cents=draft.coupons_amount_cents + credit,
        coupon_credits=(*draft.coupon_credits, taken),
    )


def _left(draft: InvoiceDraft, covered: frozenset[int]) -> Fraction:
    return sum((draft.fees[index].taxable_cents for index in covered), Fraction(0))


def _credit(coupon: Coupon, base: Fraction) -> int:
    """Whole cents: a fraction of one that is left of limited fees is not given (mended)."""
    whole = int(base)
    if coupon.amount_cents is not None:
        return min(coupon.amount_cents, whole)
    return min(whole, round_cents(whole * coupon.rate / 100))


def _share(line: InvoicedFee, credit: int, base: Fraction) -> InvoicedFee:
    """A fee's part of a credit, by what earlier coupons have left of it; together the parts come to the credit."""
    part = round_half_away(credit * line.taxable_cents / base, 5)
    taken = min(line.precise_coupons_amount_cents + part, Fraction(line.fee.amount_cents))
    return replace(line, precise_coupons_amount_cents=taken)
