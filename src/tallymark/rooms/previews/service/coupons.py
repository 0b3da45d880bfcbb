"""The coupons that a previewed invoice uses: the customer's, else those that the request describes (invoicing §10.5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound
from tallymark.rooms.billing.model import Subject
from tallymark.rooms.billing.service.coupons import CouponBook
from tallymark.rooms.billing.service.coupons import open_book as open_stored
from tallymark.rooms.coupons import service as coupons
from tallymark.rooms.coupons.model import (
    NO_TARGETS,
    AppliedCoupon,
    Coupon,
    CouponType,
    Expiration,
    Frequency,
    Status,
    UsableCoupon,
)
from tallymark.rooms.previews.model import GivenCoupon, Parties


async def open_book(
    tx: Tx, parties: Parties, subjects: Sequence[Subject], given: Sequence[GivenCoupon], *, now: datetime
) -> tuple[CouponBook, set[UUID]]:
    """What the customer may use of coupons, or would were they given the described ones; ids of those that are not stored.

    Raises `NotFound("coupon")` for one that is over, and `Invalid` for a description that makes none.
    """
    stored = await open_stored(tx, subjects)
    if not given or not stored.is_empty:
        return stored, set()
    stored_ids: set[UUID] = set()
    usable = []
    for one in given:
        known = await coupons.find_coupon(tx, code=one.code)
        if known is not None and known.status is not Status.ACTIVE:
            raise NotFound("coupon")
        usable.append(await _usable(tx, parties, known or _described(one, now=now), now=now))
        stored_ids |= {known.id} if known else set()
    book = CouponBook({parties.customer.id: sorted(usable, key=lambda one: one.rank)})
    return book, {one.coupon.id for one in usable} - stored_ids


async def _usable(tx: Tx, parties: Parties, coupon: Coupon, *, now: datetime) -> UsableCoupon:
    targets = (await coupons.targets_of(tx, [coupon])).get(coupon.id, NO_TARGETS)
    is_fixed = coupon.coupon_type is CouponType.FIXED_AMOUNT
    applied = AppliedCoupon(
        id=new_id(),
        coupon_id=coupon.id,
        customer_id=parties.customer.id,
        status=Status.ACTIVE,
        amount_cents=coupon.amount_cents if is_fixed else None,
        amount_currency=coupon.amount_currency if is_fixed else None,
        percentage_rate=None if is_fixed else coupon.percentage_rate,
        frequency=coupon.frequency,
        frequency_duration=coupon.frequency_duration,
        frequency_duration_remaining=coupon.frequency_duration,
        terminated_at=None,
        created_at=now,
    )
    return UsableCoupon(applied=applied, coupon=coupon, targets=targets, used_cents=0)


def _described(given: GivenCoupon, *, now: datetime) -> Coupon:
    """A coupon of the attributes sent. Raises `Invalid` where they make none."""
    if "coupon_type" not in given.terms:
        raise Invalid({"coupon_type": ["value_is_mandatory"]})
    coupons.check_terms(given.terms, now=now)
    blank: dict[str, Any] = dict.fromkeys(Coupon.__slots__)
    own = {name: value for name, value in given.terms.items() if name in blank}
    return Coupon(
        **{
            **blank,
            "frequency": Frequency.ONCE,
            "expiration": Expiration.NONE,
            **own,
            "id": new_id(),
            "code": given.code,
            "name": given.terms.get("name") or given.code,
            "coupon_type": CouponType(given.terms["coupon_type"]),
            "reusable": True,
            "limited_plans": False,
            "limited_billable_metrics": False,
            "status": Status.ACTIVE,
            "created_at": now,
        }
    )
