"""What a credit note comes to: its items' share of coupons and taxes, and its total (invoicing §11.3, §11.5)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing.creditable import ZERO, CreditableInvoice, Given, Parts
from tallymark.domain.invoicing.model import TaxRate
from tallymark.domain.money import floor_to, round_cents, round_half_away

Item = tuple[int, Fraction]
"""The position of a fee on its invoice, and what is given back of it before coupons and taxes, in minor units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteTax:
    """A tax given back, with the base it was taken of."""

    tax: TaxRate
    base_amount_cents: int
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAmounts:
    """What items come to: the sub-total and the taxes are whole, and add up to the total."""

    items: tuple[Item, ...]
    coupons_adjustment_cents: Fraction
    taxes: tuple[NoteTax, ...]
    precise_taxes_cents: Fraction
    precise_total_cents: Fraction
    taxes_rate: Fraction
    sub_total_cents: int
    taxes_amount_cents: int
    expected_cents: int
    """What the exact total rounds to: a cent more or less than its rounded parts at times."""

    @property
    def total_cents(self) -> int:
        """What is given back in all."""
        return self.sub_total_cents + self.taxes_amount_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a note of some items may be made of at the most (invoicing §11.5)."""

    amounts: NoteAmounts
    taxes_amount_cents: int
    max_creditable_cents: int
    max_refundable_cents: int
    max_offsettable_cents: int


def compute_note(invoice: CreditableInvoice, items: Sequence[Item]) -> NoteAmounts:
    """Take items to a note's amounts.

    Together, notes never give back more than the invoice came to; the one that leaves nothing takes all that earlier
    ones left, so that notes of a whole invoice add up to it, taxes and all (invoicing §18.9).
    """
    shares = [invoice.fees[position].coupon_share(amount) for position, amount in items]
    coupons = sum(shares, ZERO)
    bases: dict[TaxRate, Fraction] = {}
    for (position, amount), share in zip(items, shares, strict=True):
        for tax in invoice.fees[position].taxes:
            bases[tax] = bases.get(tax, ZERO) + amount - share
    net = sum((amount for _, amount in items), ZERO) - coupons
    exact = {tax: base * tax.rate / 100 for tax, base in bases.items()}
    taxes = sum(exact.values(), ZERO)
    if invoice.leaves(items) <= 0:
        taxes -= invoice.given.taxes_cents - invoice.given.precise_taxes_cents
        sub_total, taxes_cents = invoice.left_sub_total_cents, invoice.left_taxes_cents
        expected = sub_total + taxes_cents
    else:
        sub_total = min(round_cents(net), invoice.left_sub_total_cents)
        taxes_cents = min(round_cents(taxes), invoice.left_taxes_cents)
        expected = round_cents(
            min(net, Fraction(invoice.left_sub_total_cents)) + min(taxes, Fraction(invoice.left_taxes_cents))
        )
    return NoteAmounts(
        items=tuple(items),
        coupons_adjustment_cents=coupons,
        taxes=tuple(
            NoteTax(tax=tax, base_amount_cents=round_cents(base), amount_cents=round_cents(exact[tax]))
            for tax, base in bases.items()
        ),
        precise_taxes_cents=taxes,
        precise_total_cents=net + taxes,
        taxes_rate=_mean_rate(bases, net),
        sub_total_cents=sub_total,
        taxes_amount_cents=taxes_cents,
        expected_cents=expected,
    )


def _mean_rate(bases: dict[TaxRate, Fraction], net: Fraction) -> Fraction:
    if not net:
        return ZERO
    return round_half_away(sum((tax.rate * base / net for tax, base in bases.items()), ZERO), 5)


def estimate(invoice: CreditableInvoice, items: Sequence[Item]) -> Estimate:
    """What a note of these items may give back at the most, by the way in which it does."""
    amounts = compute_note(invoice, items)
    most, taxes = amounts.expected_cents, amounts.taxes_amount_cents
    if most - taxes > amounts.sub_total_cents:
        most -= 1
    elif most - taxes < amounts.sub_total_cents and taxes:
        taxes -= 1
    return Estimate(
        amounts=amounts,
        taxes_amount_cents=taxes,
        max_creditable_cents=0 if invoice.is_top_up else most,
        max_refundable_cents=min(amounts.expected_cents, invoice.refundable_cents),
        max_offsettable_cents=0 if invoice.is_top_up else min(max(invoice.due_cents, 0), most),
    )


def fit_parts(invoice: CreditableInvoice, amounts: NoteAmounts, parts: Parts) -> Parts:
    """Move the cents by which asked parts miss the total: on the credit, else on the offset, else on the refund (§11.3).

    A refund or an offset is never moved beyond what was paid or is due: the credit takes the cent then.
    """
    missing = amounts.total_cents - parts.total_cents
    credit, offset, refund = parts.credit_cents, parts.offset_cents, parts.refund_cents
    if missing < 0:
        off_credit = min(credit, -missing)
        off_offset = min(offset, -missing - off_credit)
        credit, offset = credit - off_credit, offset - off_offset
        refund -= -missing - off_credit - off_offset
    elif credit > 0:
        credit += missing
    elif 0 < offset <= invoice.offsettable_cents - missing:
        offset += missing
    elif 0 < refund <= invoice.refundable_cents - missing:
        refund += missing
    else:
        credit += missing
    return Parts(credit_cents=credit, refund_cents=refund, offset_cents=offset)


def follow(invoice: CreditableInvoice, amounts: NoteAmounts, parts: Parts) -> CreditableInvoice:
    """The invoice as the next note finds it."""
    fees, given = list(invoice.fees), invoice.given
    for position, amount in amounts.items:
        fees[position] = replace(
            fees[position],
            credited_cents=fees[position].credited_cents + round_cents(amount),
            precise_credited_cents=fees[position].precise_credited_cents + amount,
        )
    now_given = Given(
        sub_total_cents=given.sub_total_cents + amounts.sub_total_cents,
        taxes_cents=given.taxes_cents + amounts.taxes_amount_cents,
        precise_taxes_cents=given.precise_taxes_cents + amounts.precise_taxes_cents,
        credit_cents=given.credit_cents + parts.credit_cents,
        refund_cents=given.refund_cents + parts.refund_cents,
        offset_cents=given.offset_cents + parts.offset_cents,
    )
    return replace(invoice, fees=tuple(fees), given=now_given)


def with_total(invoice: CreditableInvoice, amounts: NoteAmounts, total_cents: int) -> NoteAmounts:
    """The same amounts for a total that is fixed: what rounding misses it by moves on the taxes, else on the sub-total."""
    missing = total_cents - amounts.total_cents
    taxes = min(max(amounts.taxes_amount_cents + missing, 0), invoice.left_taxes_cents)
    return replace(amounts, taxes_amount_cents=taxes, sub_total_cents=total_cents - taxes)


def item_problems(invoice: CreditableInvoice, items: Sequence[Item]) -> Iterator[tuple[int, str]]:
    """(place, code) for items that give back less than nothing, or more than is left of their fee or its wallet (§11.4)."""
    asked: dict[int, Fraction] = {}
    for place, (position, amount) in enumerate(items):
        asked[position] = asked.get(position, ZERO) + amount
        if amount < 0:
            yield place, "invalid_value"
        elif asked[position] > invoice.fees[position].creditable_cents:
            yield place, "higher_than_remaining_fee_amount"
        elif invoice.wallet_cents is not None and invoice.is_paid and asked[position] > invoice.wallet_cents:
            yield place, "higher_than_wallet_balance"


def part_problems(
    invoice: CreditableInvoice, amounts: NoteAmounts, parts: Parts
) -> Iterator[tuple[str, str]]:
    """(field, code) for all that is wrong with asked parts, in the order of invoicing §11.4."""
    given = invoice.given
    if abs(parts.total_cents - amounts.expected_cents) > 1:
        yield "base", "does_not_match_item_amounts"
    yield from _refund_problems(invoice, parts.refund_cents)
    most = invoice.gross_cents - given.credit_cents - given.offset_cents
    if parts.credit_cents and invoice.is_top_up:
        yield "credit_amount_cents", "cannot_credit_invoice"
    elif parts.credit_cents > most + 1:
        yield "credit_amount_cents", "higher_than_remaining_invoice_amount"
    yield from _offset_problems(invoice, parts.offset_cents, most)
    if parts.total_cents > invoice.gross_cents - given.total_cents + 1:
        yield "base", "higher_than_remaining_invoice_amount"
    if parts.total_cents <= 0 or amounts.total_cents <= 0:
        yield "base", "total_amount_must_be_positive"


def _refund_problems(invoice: CreditableInvoice, refund_cents: int) -> Iterator[tuple[str, str]]:
    if not refund_cents:
        return
    is_unsure = invoice.paid_cents == invoice.total_cents and not invoice.is_paid
    if not invoice.paid_cents or is_unsure:
        yield "refund_amount_cents", "cannot_refund_unpaid_invoice"
    elif refund_cents > invoice.unrefunded_cents:
        yield "refund_amount_cents", "higher_than_remaining_invoice_amount"


def _offset_problems(invoice: CreditableInvoice, offset_cents: int, most: int) -> Iterator[tuple[str, str]]:
    if not offset_cents:
        return
    if invoice.is_top_up and invoice.paid_cents:
        yield "offset_amount_cents", "cannot_apply_to_paid_invoice"
    elif invoice.is_top_up and offset_cents != invoice.total_cents:
        yield "offset_amount_cents", "not_equal_to_total_amount"
    elif offset_cents > min(most, invoice.due_cents):
        yield "offset_amount_cents", "higher_than_remaining_invoice_amount"


def all_items(invoice: CreditableInvoice) -> tuple[Item, ...]:
    """Everything that is left of the fees."""
    return tuple(
        (position, Fraction(fee.creditable_cents))
        for position, fee in enumerate(invoice.fees)
        if fee.creditable_cents > 0
    )


def share_items(invoice: CreditableInvoice, total_cents: int) -> tuple[Item, ...]:
    """The same part of every fee, so that together, taxes included, they come to a total (invoicing §10.4)."""
    most = invoice.left_cents
    if total_cents >= most:
        return all_items(invoice)
    return tuple((position, floor_to(left * total_cents / most, 5)) for position, left in all_items(invoice))


def largest_items(invoice: CreditableInvoice, net_cents: int) -> tuple[Item, ...]:
    """Items that come to a net amount, without coupons and taxes: of the largest fees first, each as far as it goes (§11.6)."""
    return items_of_net(invoice, net_cents)


def items_of_net(invoice: CreditableInvoice, net_cents: int, first: Collection[int] = ()) -> tuple[Item, ...]:
    """The same of some fees first, by their positions, and then of the others.

    What was deducted of a fee is no part of what was billed too much: its item is larger by that share.
    """
    items, missing = [], Fraction(net_cents)
    for position, left in sorted(all_items(invoice), key=lambda item: (item[0] not in first, -item[1])):
        net = left - invoice.fees[position].coupon_share(left)
        part = min(net, missing)
        if part > 0:
            items.append((position, left * part / net))
            missing -= part
    return tuple(items)
