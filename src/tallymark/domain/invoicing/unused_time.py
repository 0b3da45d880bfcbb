"""The note for time that was paid in advance and is not used (subscriptions §4.6); amounts in minor units."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing.creditable import ZERO, CreditableInvoice, Parts
from tallymark.domain.invoicing.notes import NoteAmounts, compute_note, fit_parts
from tallymark.domain.money import floor_to, round_cents


class Return(StrEnum):
    """How unused time is given back."""

    CREDIT = "credit"
    REFUND = "refund"
    OFFSET = "offset"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedTime:
    """What was paid in advance for time that a subscription has no more.

    `unused_days` and `used_days` are of a period of `full_days` at `plan_amount_cents`. The fee, at `position` of its
    invoice, has `taxes_cents` on it; `inclusive_cents` is the invoice with taxes, before credits.
    """

    plan_amount_cents: int
    full_days: int
    unused_days: int
    used_days: int
    invoice: CreditableInvoice
    position: int
    taxes_cents: Fraction
    inclusive_cents: int


def credit_unused_time(facts: UnusedTime, way: Return) -> tuple[NoteAmounts, Parts] | None:
    """The note for unused time and its parts, None where nothing is left to give back."""
    fee = facts.invoice.fees[facts.position]
    day_price = Fraction(facts.plan_amount_cents, facts.full_days)
    base = min(facts.unused_days * day_price, Fraction(fee.amount_cents)) - fee.precise_credited_cents
    item = floor_to(min(base, Fraction(fee.creditable_cents)), 5)
    if item <= 0:
        return None
    amounts = compute_note(facts.invoice, [(facts.position, item)])
    if amounts.total_cents <= 0:
        return None
    parts = _parts(facts, way, amounts.expected_cents, used=floor_to(facts.used_days * day_price, 5))
    return amounts, fit_parts(facts.invoice, amounts, parts)


def _parts(facts: UnusedTime, way: Return, total_cents: int, *, used: Fraction) -> Parts:
    """Money back as far as what was paid exceeds what was used; the rest by the way asked for.

    An offset takes no more than what is due: what wallets and credit notes have paid of the invoice stays as credit.
    """
    if way is Return.CREDIT:
        return Parts(credit_cents=total_cents)
    exact = min(max(_paid_share(facts) - _with_taxes(facts, used), ZERO), Fraction(total_cents))
    refund = min(round_cents(exact), facts.invoice.unrefunded_cents)
    rest = total_cents - refund
    if way is Return.REFUND:
        return Parts(refund_cents=refund, credit_cents=rest)
    offset = min(rest, max(facts.invoice.due_cents, 0))
    return Parts(refund_cents=refund, offset_cents=offset, credit_cents=rest - offset)


def _with_taxes(facts: UnusedTime, item: Fraction) -> Fraction:
    fee = facts.invoice.fees[facts.position]
    net = item - fee.coupon_share(item)
    return net + net * fee.tax_rate / 100


def _paid_share(facts: UnusedTime) -> Fraction:
    """How much of what was paid is the fee's."""
    if not facts.inclusive_cents:
        return ZERO
    fee = facts.invoice.fees[facts.position]
    of_fee = fee.amount_cents - fee.coupons_cents + facts.taxes_cents
    return facts.invoice.paid_cents * of_fee / facts.inclusive_cents
