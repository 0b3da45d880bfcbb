"""The taxes of an electronic document by rate, so that bases and taxes add up to the document's own (invoicing §15.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tallymark.domain.exact import Fraction
from tallymark.domain.money import floor_to, round_cents


class TaxCategory(StrEnum):
    """The UNTDID 5305 code of how something is taxed."""

    STANDARD = "S"
    ZERO = "Z"
    OUTSIDE = "O"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxedAmount:
    """A fee: what of it discounts take and what it is taxed, exact, in minor units; `rate` in percent."""

    amount_cents: int
    discount_cents: Fraction
    rate: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxGroup:
    """All that is taxed at one rate."""

    rate: Fraction
    category: TaxCategory
    lines_cents: int
    allowance_cents: int
    tax_cents: int

    @property
    def base_cents(self) -> int:
        """What the tax is taken of."""
        return self.lines_cents - self.allowance_cents


def category_of(rate: Fraction, *, is_outside: bool) -> TaxCategory:
    """How something taxed at a rate is called; what is outside the scope of VAT has no rate."""
    if is_outside:
        return TaxCategory.OUTSIDE
    return TaxCategory.STANDARD if rate > 0 else TaxCategory.ZERO


def compute_tax_groups(
    amounts: Sequence[TaxedAmount], *, discount_cents: int, taxes_cents: int, is_outside: bool = False
) -> tuple[TaxGroup, ...]:
    """Group by rate, the highest first; discounts and taxes come to the document's own.

    A discount is spread in whole cents by what each rate's fees gave (BR-CO-11, BR-CO-13); the cent by which the rates' taxes
    miss the document's goes to the highest rate (BR-CO-14).
    """
    rates = sorted({amount.rate for amount in amounts}, reverse=True)
    of_rate = {rate: [amount for amount in amounts if amount.rate == rate] for rate in rates}
    exact = [sum((one.discount_cents for one in of_rate[rate]), Fraction(0)) for rate in rates]
    allowances = _whole(exact, discount_cents)
    taxes = [
        round_cents(
            sum(((one.amount_cents - one.discount_cents) * rate / 100 for one in of_rate[rate]), Fraction(0))
        )
        for rate in rates
    ]
    if taxes:
        taxes[0] += taxes_cents - sum(taxes)
    return tuple(
        TaxGroup(
            rate=rate,
            category=category_of(rate, is_outside=is_outside),
            lines_cents=sum(one.amount_cents for one in of_rate[rate]),
            allowance_cents=allowance,
            tax_cents=tax,
        )
        for rate, allowance, tax in zip(rates, allowances, taxes, strict=True)
    )


def _whole(exact: Sequence[Fraction], total: int) -> list[int]:
    """Exact parts as whole cents that come to a total: the largest remainders are rounded up."""
    parts = [int(floor_to(part)) for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda index: parts[index] - exact[index])
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    if sum(parts) != total:
        raise ValueError(f"discounts of {total} are not what the fees gave: {exact}")
    return parts
