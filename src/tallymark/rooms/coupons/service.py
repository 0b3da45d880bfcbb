"""What can be done with coupons: offer, give, use, give back (pricing §16)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotAllowed, NotFound, Problems
from tallymark.jobs import agenda
from tallymark.jobs.activity import changes, differences
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.outbox import log_alone
from tallymark.rooms.coupons import repository
from tallymark.rooms.coupons.model import (
    CHANGEABLE,
    NO_TARGETS,
    AppliedView,
    Coupon,
    CouponInput,
    CouponType,
    Expiration,
    Filters,
    Frequency,
    Status,
    TakenCoupon,
    Targets,
    UsableCoupon,
    Use,
)
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import CreditLine

NO_DURATION = ("value_is_mandatory", "is not a number")
"""What a recurring coupon without a duration is told (§1.1)."""


async def create_coupon(
    tx: Tx, asked: CouponInput, *, now: datetime, ended_at: datetime | None = None
) -> Coupon:
    """Offer a coupon; with `ended_at` it was offered elsewhere until then, and is only kept for those who have it.

    Raises `Invalid`, `NotAllowed` for two kinds of limits, `NotFound` for unknown targets.
    """
    values = {"reusable": True, **asked.values}
    check_terms(values, now=now, is_end_sent=ended_at is None)
    targets = await _find_targets(tx, asked)
    await _claim_code(tx, values["code"])
    coupon_id = new_id()
    await repository.insert_coupon(
        tx,
        {
            "id": coupon_id,
            "organization_id": tx.organization_id,
            **values,
            **_limits(targets or NO_TARGETS),
            "status": Status.ACTIVE if ended_at is None else Status.TERMINATED,
            "terminated_at": ended_at,
            "created_at": now,
            "updated_at": now,
        },
    )
    await _save_targets(tx, coupon_id, targets)
    coupon = await get_coupon(tx, code=values["code"])
    await _note_expiration(tx, coupon)
    await log_alone(tx, "coupon.created", coupon_id, now=now)
    return coupon


async def get_coupon(tx: Tx, *, code: str) -> Coupon:
    """A coupon by code, terminated ones too. Raises `NotFound("coupon")`."""
    coupon = await repository.find_coupon(tx, code)
    if coupon is None:
        raise NotFound("coupon")
    return coupon


async def find_coupon(tx: Tx, *, code: str) -> Coupon | None:
    """A coupon by code, terminated ones too."""
    return await repository.find_coupon(tx, code)


async def get_coupons(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Coupon]:
    """Coupons by id, deleted ones too."""
    return await repository.get_coupons(tx, ids) if ids else {}


async def list_coupons(tx: Tx, page: Page, *, search_term: str | None = None) -> tuple[list[Coupon], int]:
    """A page of coupons, those on offer first, and how many there are; of those with a text in their name or code."""
    return await repository.list_coupons(tx, page, search_term)


async def targets_of(tx: Tx, coupons: Collection[Coupon]) -> dict[UUID, Targets]:
    """What coupons are limited to, by id; those for everything are left out."""
    limited = [c.id for c in coupons if c.limited_plans or c.limited_billable_metrics]
    return await repository.targets_of(tx, limited) if limited else {}


async def update_coupon(tx: Tx, code: str, asked: CouponInput, *, now: datetime) -> Coupon:
    """Change what is sent; of a coupon that was given to anybody only its name, description and end.

    Raises what `create_coupon` does, and `Invalid` with `modification_not_allowed`.
    """
    coupon = await get_coupon(tx, code=code)
    await tx.lock("coupon", coupon.id)
    values = {name: getattr(coupon, name) for name in CouponInputColumns} | dict(asked.values)
    check_terms(values, now=now, is_end_sent="expiration_at" in asked.values)
    targets = await _find_targets(tx, asked)
    known = (await targets_of(tx, [coupon])).get(coupon.id, NO_TARGETS)
    if await repository.is_ever_applied(tx, coupon.id):
        _check_changes(coupon, asked, is_same=targets is None or _same(targets, known))
    if values["code"] != coupon.code:
        await _claim_code(tx, values["code"])
    limits = {} if targets is None else _limits(targets)
    await repository.update_coupon(tx, coupon.id, {**asked.values, **limits, "updated_at": now})
    await _save_targets(tx, coupon.id, targets)
    changed = await get_coupon(tx, code=values["code"])
    await _note_expiration(tx, changed)
    aimed = differences(_codes(known), _codes(known if targets is None else targets))
    different = {**changes(coupon, changed), **aimed}
    await log_alone(tx, "coupon.updated", coupon.id, now=now, changed=different)
    return changed


CouponInputColumns = (
    "code", "name", "description", "coupon_type", "amount_cents", "amount_currency", "percentage_rate",
    "frequency", "frequency_duration", "expiration", "expiration_at", "reusable",
)  # fmt: skip
"""The columns that a request may name."""


def _check_changes(coupon: Coupon, asked: CouponInput, *, is_same: bool) -> None:
    problems = Problems()
    for name, value in asked.values.items():
        if name not in CHANGEABLE and value != getattr(coupon, name):
            problems.add(name, "modification_not_allowed")
    if not is_same:
        problems.add("applies_to", "modification_not_allowed")
    problems.raise_any()


def _same(one: Targets, other: Targets) -> bool:
    return one.plans.keys() == other.plans.keys() and (
        one.billable_metrics.keys() == other.billable_metrics.keys()
    )


def check_terms(values: Mapping[str, Any], *, now: datetime, is_end_sent: bool = True) -> None:
    """Refuse what does not go together (§16.1). Raises `Invalid`."""
    problems = Problems()
    if values.get("coupon_type") == CouponType.FIXED_AMOUNT:
        for name in ("amount_cents", "amount_currency"):
            if values.get(name) is None:
                problems.add(name, "value_is_mandatory")
    elif values.get("percentage_rate") is None:
        problems.add("percentage_rate", "value_is_mandatory")
    if values.get("frequency") == Frequency.RECURRING and values.get("frequency_duration") is None:
        problems.add("frequency_duration", *NO_DURATION)
    end = values.get("expiration_at")
    if is_end_sent and end is not None and end <= now:
        problems.add("expiration_at", "invalid_date")
    problems.raise_any()


async def _find_targets(tx: Tx, asked: CouponInput) -> Targets | None:
    """What the request limits the coupon to; None where it does not say."""
    if asked.plan_codes is None and asked.billable_metric_codes is None:
        return None
    plan_codes, metric_codes = set(asked.plan_codes or ()), set(asked.billable_metric_codes or ())
    if plan_codes and metric_codes:
        raise NotAllowed("only_one_limitation_type_per_coupon_allowed")
    plans = await repository.find_plans(tx, plan_codes) if plan_codes else {}
    if len(plans) < len(plan_codes):
        raise NotFound("plans")
    metrics = await repository.find_metrics(tx, metric_codes) if metric_codes else {}
    if len(metrics) < len(metric_codes):
        raise NotFound("billable_metrics")
    return Targets(
        plans={id_: code for code, id_ in plans.items()},
        billable_metrics={id_: code for code, id_ in metrics.items()},
    )


def _limits(targets: Targets) -> dict[str, bool]:
    return {
        "limited_plans": bool(targets.plans),
        "limited_billable_metrics": bool(targets.billable_metrics),
    }


def _codes(targets: Targets) -> dict[str, list[str]]:
    """What a coupon is for, as the log shows it."""
    return {
        "plan_codes": sorted(targets.plans.values()),
        "billable_metric_codes": sorted(targets.billable_metrics.values()),
    }


async def _save_targets(tx: Tx, coupon_id: UUID, targets: Targets | None) -> None:
    if targets is None:
        return
    pairs = [(plan_id, None) for plan_id in targets.plans]
    pairs += [(None, metric_id) for metric_id in targets.billable_metrics]  # type: ignore[misc]  # one of both
    rows = [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "coupon_id": coupon_id,
            "plan_id": plan_id,
            "billable_metric_id": metric_id,
        }
        for plan_id, metric_id in pairs
    ]
    await repository.replace_targets(tx, coupon_id, rows)


async def _claim_code(tx: Tx, code: str) -> None:
    await tx.lock("coupon-code", tx.organization_id)
    if await repository.find_coupon(tx, code) is not None:
        raise Invalid({"code": ["value_already_exist"]})


async def _note_expiration(tx: Tx, coupon: Coupon) -> None:
    ends = coupon.expiration is Expiration.TIME_LIMIT and coupon.status is Status.ACTIVE
    if not ends or coupon.expiration_at is None:
        await agenda.drop(tx, Kind.EXPIRE_COUPON, coupon.id)
        return
    item = Item(
        kind=Kind.EXPIRE_COUPON, subject_id=coupon.id, owner_id=coupon.id, due_at=coupon.expiration_at
    )
    await agenda.put(tx, item)


async def expire(tx: Tx, coupon_ids: Collection[UUID], *, at: datetime) -> None:
    """End coupons whose time has come: they are not given any more, what was given goes on (§16.1)."""
    expired = await repository.expire(tx, coupon_ids, at=at)
    changed = differences(
        {"status": Status.ACTIVE, "terminated_at": None}, {"status": Status.TERMINATED, "terminated_at": at}
    )
    await log_alone(tx, "coupon.updated", *expired, now=at, changed=changed)


async def terminate_coupon(tx: Tx, code: str, *, now: datetime) -> Coupon:
    """End a coupon before its time: it is given to nobody any more, what was given goes on (§16.1). Raises `NotFound("coupon")`.

    One that has ended already stays as it is.
    """
    coupon = await get_coupon(tx, code=code)
    await tx.lock("coupon", coupon.id)
    coupon = await get_coupon(tx, code=code)
    if coupon.status is Status.TERMINATED:
        return coupon
    await agenda.drop(tx, Kind.EXPIRE_COUPON, coupon.id)
    ended = {"status": Status.TERMINATED, "terminated_at": now, "updated_at": now}
    await repository.update_coupon(tx, coupon.id, ended)
    terminated = await get_coupon(tx, code=code)
    await log_alone(tx, "coupon.updated", coupon.id, now=now, changed=changes(coupon, terminated))
    return terminated


async def delete_coupon(tx: Tx, code: str, *, now: datetime) -> Coupon:
    """Withdraw a coupon, from those who have it too. Raises `NotFound("coupon")`."""
    await tx.lock("coupon", (await get_coupon(tx, code=code)).id)
    coupon = await get_coupon(tx, code=code)
    await agenda.drop(tx, Kind.EXPIRE_COUPON, coupon.id)
    gone = {"deleted_at": now, "status": Status.TERMINATED, "terminated_at": now, "updated_at": now}
    await repository.update_coupon(tx, coupon.id, gone)
    detached = await repository.terminate_applied(tx, coupon.id, at=now)
    await log_alone(tx, "applied_coupon.deleted", *detached, now=now)
    await log_alone(tx, "coupon.deleted", coupon.id, now=now)
    return coupon


async def apply(
    tx: Tx,
    *,
    external_customer_id: str,
    coupon_code: str,
    terms: Mapping[str, Any],
    now: datetime,
) -> AppliedView:
    """Give a coupon to a customer, on the terms sent or else its own (§16.2).

    Raises `NotFound("customer")`, `NotFound("coupon")`, `NotAllowed("plan_overlapping")` and `Invalid`, in this order.
    """
    customer = await customers.get_customer(tx, external_id=external_customer_id)
    await tx.lock("customer", customer.id)
    coupon = await repository.find_coupon(tx, coupon_code)
    if coupon is None or coupon.status is not Status.ACTIVE:
        raise NotFound("coupon")
    await tx.lock("coupon", coupon.id)
    targets = (await targets_of(tx, [coupon])).get(coupon.id, NO_TARGETS)
    if targets != NO_TARGETS and await repository.overlaps(tx, customer_id=customer.id, targets=targets):
        raise NotAllowed("plan_overlapping")
    if not coupon.reusable and await repository.is_ever_applied(tx, coupon.id, customer_id=customer.id):
        raise Invalid({"coupon": ["coupon_is_not_reusable"]})
    copied = _copied_terms(coupon, terms)
    applied_id = new_id()
    await repository.insert_applied(
        tx,
        {
            "id": applied_id,
            "organization_id": tx.organization_id,
            "coupon_id": coupon.id,
            "customer_id": customer.id,
            "status": Status.ACTIVE,
            **copied,
            "created_at": now,
            "updated_at": now,
        },
    )
    if copied["amount_currency"] is not None:
        await customers.set_currency_if_blank(tx, customer, copied["amount_currency"], now=now)
    await log_alone(tx, "applied_coupon.created", applied_id, now=now)
    return await _get_applied(tx, applied_id)


async def take_over(tx: Tx, customer_id: UUID, taken: Sequence[TakenCoupon], *, now: datetime) -> None:
    """Give a customer the coupons that they had elsewhere, used up ones too, as they stood; needs the customer's lock.

    Raises `NotFound("coupon")`.
    """
    for one in taken:
        coupon = await get_coupon(tx, code=one.coupon_code)
        applied_id = new_id()
        same = (
            "status", "amount_cents", "amount_currency", "percentage_rate", "frequency", "frequency_duration",
            "frequency_duration_remaining", "terminated_at", "created_at",
        )  # fmt: skip
        used = (one.frequency_duration or 0) - (one.frequency_duration_remaining or 0)
        await repository.insert_applied(
            tx,
            {
                "id": applied_id,
                "organization_id": tx.organization_id,
                "coupon_id": coupon.id,
                "customer_id": customer_id,
                **{name: getattr(one, name) for name in same},
                "used_elsewhere_cents": one.used_cents,
                "uses_elsewhere": used,
                "updated_at": now,
            },
        )
        await log_alone(tx, "applied_coupon.created", applied_id, now=now)


def _copied_terms(coupon: Coupon, terms: Mapping[str, Any]) -> dict[str, Any]:
    """What an applied coupon stands on: later changes of the coupon do not matter to it."""
    is_fixed = coupon.coupon_type is CouponType.FIXED_AMOUNT
    frequency = Frequency(terms.get("frequency") or coupon.frequency)
    duration = terms.get("frequency_duration") or coupon.frequency_duration
    if frequency is not Frequency.RECURRING:
        duration = None
    elif duration is None:
        raise Invalid({"frequency_duration": [*NO_DURATION]})
    return {
        "amount_cents": (terms.get("amount_cents") or coupon.amount_cents) if is_fixed else None,
        "amount_currency": (terms.get("amount_currency") or coupon.amount_currency) if is_fixed else None,
        "percentage_rate": None if is_fixed else terms.get("percentage_rate") or coupon.percentage_rate,
        "frequency": frequency,
        "frequency_duration": duration,
        "frequency_duration_remaining": duration,
    }


async def _get_applied(tx: Tx, applied_id: UUID) -> AppliedView:
    view = await repository.find_applied(tx, applied_id)
    if view is None:
        raise NotFound("applied_coupon")
    return view


async def get_applied(tx: Tx, ids: Collection[UUID]) -> list[AppliedView]:
    """Applied coupons by id."""
    return await repository.get_applied(tx, ids) if ids else []


async def list_applied(tx: Tx, filters: Filters, page: Page) -> tuple[list[AppliedView], int]:
    """A page of applied coupons, newest first, and how many there are."""
    return await repository.list_applied(tx, filters, page)


async def credits_of(tx: Tx, views: Sequence[AppliedView]) -> dict[UUID, list[tuple[CreditLine, str]]]:
    """What invoices took of applied coupons, each with the invoice's payment status, by applied coupon."""
    return await invoices.credits_of_coupons(tx, [view.applied.id for view in views])


async def detach(tx: Tx, *, external_customer_id: str, applied_id: UUID, now: datetime) -> AppliedView:
    """Take a coupon from a customer. Raises `NotFound("customer")` and `NotFound("applied_coupon")`."""
    customer = await customers.get_customer(tx, external_id=external_customer_id)
    await tx.lock("customer", customer.id)
    view = await _get_applied(tx, applied_id)
    if view.applied.customer_id != customer.id:
        raise NotFound("applied_coupon")
    if view.applied.status is Status.ACTIVE:
        ended = {"id": applied_id, "status": Status.TERMINATED, "terminated_at": now, "updated_at": now}
        await repository.update_applied(tx, [ended])
        await log_alone(tx, "applied_coupon.deleted", applied_id, now=now)
    return await _get_applied(tx, applied_id)


async def usable(tx: Tx, customer_ids: Collection[UUID]) -> dict[UUID, list[UsableCoupon]]:
    """The coupons that customers' next invoices take off, in their order; needs the customers' locks (§16.3)."""
    views = await repository.active_of(tx, customer_ids) if customer_ids else []
    targets = await targets_of(tx, [view.coupon for view in views])
    found: dict[UUID, list[UsableCoupon]] = defaultdict(list)
    for view in views:
        found[view.applied.customer_id].append(
            UsableCoupon(
                applied=view.applied,
                coupon=view.coupon,
                targets=targets.get(view.coupon.id, NO_TARGETS),
                used_cents=view.used_cents,
            )
        )
    return {customer_id: sorted(of_one, key=lambda one: one.rank) for customer_id, of_one in found.items()}


async def consume(
    tx: Tx, used: Sequence[tuple[UUID, str, Sequence[Use]]], left: Collection[UsableCoupon], *, now: datetime
) -> None:
    """Note what invoices took: (invoice, its currency, uses) each; `left` are the coupons used, as they stand after."""
    await invoices.save_credits(tx, credit_rows(tx, used, now=now))
    await repository.update_applied(tx, [_state(usable, now=now) for usable in left])


def credit_rows(
    tx: Tx, used: Sequence[tuple[UUID, str, Sequence[Use]]], *, now: datetime
) -> list[dict[str, Any]]:
    """What invoices took, as rows of their credits."""
    return [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "invoice_id": invoice_id,
            "coupon_id": use.usable.coupon.id,
            "applied_coupon_id": use.usable.applied.id,
            "amount_cents": use.amount_cents,
            "terms": use.terms,
            "currency": currency,
            "before_taxes": True,
            "item_type": "coupon",
            "item_code": use.usable.coupon.code,
            "item_name": use.usable.coupon.name,
            "item_description": use.usable.coupon.description,
            "created_at": now,
        }
        for invoice_id, currency, uses in used
        for use in uses
    ]


def _state(usable: UsableCoupon, *, now: datetime) -> dict[str, Any]:
    applied = usable.applied
    return {
        "id": applied.id,
        "status": applied.status,
        "frequency_duration_remaining": applied.frequency_duration_remaining,
        "terminated_at": None if applied.status is Status.ACTIVE else now,
        "updated_at": now,
    }


async def give_back(tx: Tx, invoice_id: UUID, *, now: datetime) -> None:
    """Undo the uses of an invoice that is being voided; needs the customer's lock (§16.3).

    What had ended by use begins again, unless the coupon itself has ended. A fixed amount comes back by itself: what
    is used of it is the sum over invoices that are not voided.
    """
    rows = []
    for view in await repository.used_by(tx, invoice_id):
        applied = view.applied
        remaining = applied.frequency_duration_remaining
        revives = applied.frequency is not Frequency.FOREVER and view.coupon.status is Status.ACTIVE
        is_active = applied.status is Status.ACTIVE or revives
        rows.append(
            {
                "id": applied.id,
                "status": Status.ACTIVE if is_active else Status.TERMINATED,
                "frequency_duration_remaining": None if remaining is None else remaining + 1,
                "terminated_at": None if is_active else applied.terminated_at,
                "updated_at": now,
            }
        )
    await repository.update_applied(tx, rows)
