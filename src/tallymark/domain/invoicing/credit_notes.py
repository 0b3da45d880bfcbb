"""Money given back on an invoice: what a note comes to, and what notes take off later invoices (invoicing §5.5, §11.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tallymark.domain.invoicing.model import TaxRate
from tallymark.domain.money import floor_to, round_cents, round_half_away


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedTime:
    """What was paid in advance for time that a subscription has no more (subscriptions §4.6); amounts in minor units.

    `unused_days` and `used_days` are of a period of `full_days` at `plan_amount_cents`; `credited_cents` is what
    earlier notes gave back of the fee. `paid_cents` and `invoice_cents` are the invoice's, with taxes.
    """

    plan_amount_cents: int
    full_days: int
    unused_days: int
    used_days: int
    fee_amount_cents: int
    fee_coupons_cents: Fraction
    fee_taxes_cents: Fraction
    taxes: tuple[TaxRate, ...]
    credited_cents: Fraction
    paid_cents: int
    invoice_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteTax:
    """A tax given back, with the base it was taken of."""

    tax: TaxRate
    base_amount_cents: int
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAmounts:
    """What a credit note comes to: its parts add up to its total. Minor units; `item_cents` has at most 5 decimals."""

    item_cents: Fraction
    coupons_adjustment_cents: Fraction
    taxes: tuple[NoteTax, ...]
    precise_taxes_cents: Fraction
    taxes_amount_cents: int
    taxes_rate: Fraction
    sub_total_cents: int
    precise_total_cents: Fraction
    credit_amount_cents: int
    refund_amount_cents: int

    @property
    def total_amount_cents(self) -> int:
        """What is given back in all."""
        return self.credit_amount_cents + self.refund_amount_cents


def credit_unused_time(facts: UnusedTime, *, refunds: bool) -> NoteAmounts | None:
    """The note for unused time, None where nothing is left to give back; `refunds` pays back what was paid (§4.6)."""
    day_price = Fraction(facts.plan_amount_cents, facts.full_days)
    base = min(facts.unused_days * day_price, Fraction(facts.fee_amount_cents)) - facts.credited_cents
    if base <= 0:
        return None
    item = floor_to(base, 5)
    total = round_cents(_with_taxes(facts, item))
    refund = 0
    if refunds:
        used = _with_taxes(facts, floor_to(facts.used_days * day_price, 5))
        refund = round_cents(min(max(_paid_share(facts) - used, Fraction(0)), Fraction(total)))
    return _fitted(facts, item, credit=total - refund, refund=refund)


def _with_taxes(facts: UnusedTime, item: Fraction) -> Fraction:
    net = item - _coupon_part(facts, item)
    return net + sum((net * tax.rate / 100 for tax in facts.taxes), Fraction(0))


def _coupon_part(facts: UnusedTime, item: Fraction) -> Fraction:
    return facts.fee_coupons_cents * item / facts.fee_amount_cents if facts.fee_amount_cents else Fraction(0)


def _paid_share(facts: UnusedTime) -> Fraction:
    """How much of what was paid is the fee's."""
    if not facts.invoice_cents:
        return Fraction(0)
    of_fee = facts.fee_amount_cents - facts.fee_coupons_cents + facts.fee_taxes_cents
    return facts.paid_cents * of_fee / facts.invoice_cents


def _fitted(facts: UnusedTime, item: Fraction, *, credit: int, refund: int) -> NoteAmounts:
    """Round a note's parts; where they miss its total by a cent, the credit moves, else the refund (invoicing §11.3)."""
    coupon_part = _coupon_part(facts, item)
    net = item - coupon_part
    taxes = tuple(
        NoteTax(tax=tax, base_amount_cents=round_cents(net), amount_cents=round_cents(net * tax.rate / 100))
        for tax in facts.taxes
    )
    precise_taxes = sum((net * tax.rate / 100 for tax in facts.taxes), Fraction(0))
    taxes_cents, sub_total = round_cents(precise_taxes), round_cents(net)
    excess = credit + refund - taxes_cents - sub_total
    step = (excess < 0) - (excess > 0)
    if credit > 0:
        credit += step
    else:
        refund += step
    return NoteAmounts(
        item_cents=item,
        coupons_adjustment_cents=coupon_part,
        taxes=taxes,
        precise_taxes_cents=precise_taxes,
        taxes_amount_cents=taxes_cents,
        taxes_rate=round_half_away(sum((tax.rate for tax in facts.taxes), Fraction(0)), 5),
        sub_total_cents=sub_total,
        precise_total_cents=net + precise_taxes,
        credit_amount_cents=credit,
        refund_amount_cents=refund,
    )


def deduct_balances(total_cents: int, balances: Sequence[int]) -> tuple[int, ...]:
    """What each note's balance takes off a total, the first as much as it can (invoicing §5.5).

    >>> deduct_balances(100, [30, 90, 10])
    (30, 70, 0)
    """
    taken = []
    for balance in balances:
        part = min(balance, total_cents)
        total_cents -= part
        taken.append(part)
    return tuple(taken)
