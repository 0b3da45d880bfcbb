"""A life's bills in words that the engine and the naive calculator share, so that they can be held against each other."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.oracle import fees
from tests.oracle.arithmetic import half_away
from tests.oracle.days import TICK
from tests.oracle.fees import Fee
from tests.oracle.invoices import Walk, lived
from tests.oracle.issuing import Invoice
from tests.oracle.life import Life
from tests.oracle.money import Totals
from tests.oracle.notes import Note
from tests.oracle.records import Record, Subscription, windows

Told = list[tuple[str, str, list[Any], list[Any], tuple[Any, ...]]]
"""Invoices: issuing date, status, the windows of its subscriptions, its fees, its totals."""


def wire(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- the engine's invoices ----------------------------------------------------------------------------------


def window_of(period: dict[str, Any]) -> tuple[Any, ...]:
    if period["invoicing_reason"].startswith("in_advance_charge"):  # its fees have periods of their own
        return (period["external_subscription_id"], period["invoicing_reason"])
    return (
        period["external_subscription_id"],
        period["invoicing_reason"],
        period["subscription_from_datetime"],
        period["subscription_to_datetime"],
        period["charges_from_datetime"],
        period["charges_to_datetime"],
    )


def totals_of(invoice: dict[str, Any]) -> tuple[Any, ...]:
    has_a_rate = invoice["sub_total_excluding_taxes_amount_cents"] > 0
    return (
        invoice["fees_amount_cents"],
        invoice["coupons_amount_cents"],
        invoice["taxes_amount_cents"],
        invoice["sub_total_including_taxes_amount_cents"],
        shown(Fraction(str(invoice["taxes_rate"]))) if has_a_rate else None,
        sorted(
            (tax["tax_code"], tax["amount_cents"]) for tax in invoice["applied_taxes"] if tax["amount_cents"]
        ),
    )


def says_something(fee: tuple[Any, ...]) -> bool:
    """Not a zero charge fee, kept as a true-up's parent: of several groups the page names none (pricing §10)."""
    units, amount_cents, _, count = fee[5:9]
    return fee[0] != "charge" or units != "0" or amount_cents != 0 or count != 0


def shown(x: Fraction) -> str:
    """To nine decimals: what is stored ends after ten or more."""
    return str(half_away(x * 10**9))


def kept(units: Fraction) -> Fraction:
    """Units keep ten decimals (the specification's README, quirk 1): what they are rounded to before they are told."""
    return Fraction(half_away(units * 10**10), 10**10)


# -- the calculator ---------------------------------------------------------------------------------------


def told(life: Life) -> Told:
    """The calculator's invoices, as `Engine.invoices` gives them."""
    return sorted(
        (
            invoice.issuing_date.isoformat(),
            "draft" if invoice.is_draft else "finalized",
            sorted(records_of(invoice)),
            sorted(filter(says_something, map(plain, invoice.fees)), key=repr),
            summary(invoice.totals),
        )
        for invoice in lived(life).issuer.invoices
        if invoice.fees or invoice.records[0].reason != "in_advance_charge"
    )


def told_alone(life: Life) -> list[Any]:
    """As `Engine.standalone`."""
    return sorted(filter(says_something, map(plain, lived(life).issuer.standalone)), key=repr)


def told_notes(life: Life) -> list[Note]:
    """As `Engine.notes`."""
    return sorted(lived(life).issuer.notes, key=repr)


def records_of(invoice: Invoice) -> list[tuple[Any, ...]]:
    """As `window_of`; of an invoice of paid fees, one for each subscription that has any."""
    if invoice.records:
        return [record_of(record) for record in invoice.records]
    paid = {fee.subscription: fee.subscription.external_id for fee in invoice.fees}
    return [(external_id, "in_advance_charge_periodic") for external_id in paid.values()]


def record_of(record: Record) -> tuple[Any, ...]:
    if record.reason == "in_advance_charge":
        return (record.external_id, record.reason)
    start, to = (None, None)
    if record.charges is not None:
        start, end = record.charges
        to = end if end == start else end - TICK
    return (
        record.external_id,
        record.reason,
        wire(record.fee_from),
        wire(record.fee_to),
        start and wire(start),
        to and wire(to),
    )


def summary(totals: Totals) -> tuple[Any, ...]:
    return (
        totals.fees_cents,
        totals.coupons_cents,
        totals.taxes_cents,
        totals.total_cents,
        None if totals.taxes_rate is None else shown(totals.taxes_rate),
        sorted((code, amount) for code, amount in totals.by_tax.items() if amount),
    )


def plain(fee: Fee) -> tuple[Any, ...]:
    one = fee.subscription
    filters: dict[str, list[str]] = {}
    if fee.filter is not None:
        charge = next(c for c in one.plan.charges if c.code == fee.code)
        filters = charge.filters[fee.filter].values
    return (
        fee.kind,
        one.external_id,
        fee.code or ("commitment" if fee.kind == "commitment" else one.plan.code),
        repr(sorted(filters.items())),
        repr(sorted(fee.group)),
        shown(kept(fee.units)),
        fee.amount_cents,
        shown(fee.precise_cents),
        fee.count,
        fee.taxes_cents,
        shown(fee.coupons),
    )


def usage_of(life: Life) -> dict[str, dict[str, tuple[Any, ...]]]:
    """Current usage at the life's end, of each active subscription (metering §9.1)."""
    walk = lived(life)
    active = [one for one in walk.subscriptions if one.status == "active"]
    return {one.external_id: usage_now(walk, one) for one in active}


def usage_now(walk: Walk, one: Subscription) -> dict[str, tuple[Any, ...]]:
    at = walk.now + timedelta(microseconds=1)
    window = fees.usage_window(one, windows(one, at, "usage", current=True, terminated_at=None))
    assert window is not None
    found: dict[str, tuple[Any, ...]] = {}
    for charge in one.plan.charges:
        counted = replace(charge, prorated=charge.prorated and not charge.pay_in_advance)
        parts = list(fees.fees_in(one, counted, window, walk.arrived, walk.life.currency))
        units = sum((fee.units for fee in parts), Fraction(0))
        if charge.pay_in_advance:  # what was billed of the period: its events, and what was carried into it
            parts = [
                fee
                for record in one.records
                for fee in record.fees
                if (fee.kind, fee.code, fee.starts) == ("charge", charge.code, window.first_day)
            ]
        found[charge.code] = (shown(kept(units)), sum(fee.amount_cents for fee in parts))
    return found


def differences(engine: Told, calculator: Told) -> str:
    """What only one of the two has."""
    ours, theirs = Counter(map(repr, calculator)), Counter(map(repr, engine))
    only = [f"engine only:     {one}" for one in (theirs - ours)]
    return "\n".join(only + [f"calculator only: {one}" for one in (ours - theirs)])
