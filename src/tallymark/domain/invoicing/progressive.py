"""What progressive invoices have billed of a period already: taken off before coupons, spread over the fees (invoicing §5.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import lcm

from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing.model import InvoiceDraft, ProgressiveCredit
from tallymark.domain.money import allocate

SHARE_UNITS = 100_000
"""Shares have five decimals: they are spread in hundred-thousandths of a minor unit, so that they come to the credit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressiveInvoice:
    """One invoice of a period's usage so far, all amounts in minor units and before taxes.

    `credit_amount_cents` is what it took over from the one `before` it; `returned_cents` is what credit notes gave back of
    it. One that is voided stands for nothing itself.
    """

    fees_amount_cents: int
    coupons_amount_cents: int = 0
    credit_amount_cents: int = 0
    returned_cents: int = 0
    is_voided: bool = False
    before: ProgressiveInvoice | None = None

    @property
    def own_cents(self) -> int:
        """What it billed itself, and has not given back."""
        if self.is_voided:
            return 0
        billed = self.fees_amount_cents - self.credit_amount_cents - self.coupons_amount_cents
        return max(billed - self.returned_cents, 0)

    @property
    def covered_cents(self) -> int:
        """What is paid for by it and by those before it. Its fees are cumulative, so the latest tells of all of them.

        That is its fees less coupons and what was given back, but for what became of those before it since it was made.
        """
        before = min(self.credit_amount_cents, self.before.covered_cents) if self.before else 0
        return self.own_cents + before


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What the latest progressive invoice leaves to credit on the invoice at hand, where fees are known by their positions.

    `amounts` are those of the progressive invoice's fees, by the position of the same fee here (None: there is none).
    `usage` are the fees here whose charges it billed, `charges` all fees of charges of that subscription.
    """

    available_cents: int
    amounts: Sequence[tuple[int | None, int]]
    usage: frozenset[int]
    charges: frozenset[int]


def apply_progressive_credits(draft: InvoiceDraft, billed: Sequence[Billed]) -> InvoiceDraft:
    """Take off what progressive invoices have billed, as far as there is usage; the rest is in excess."""
    for position, one in enumerate(billed):
        usage = sum(draft.fees[index].fee.amount_cents for index in one.usage)
        credit = min(one.available_cents, usage)
        shares = _shares(draft, one, credit)
        draft = replace(
            draft,
            fees=tuple(
                replace(line, precise_coupons_amount_cents=line.precise_coupons_amount_cents + shares[index])
                if index in shares
                else line
                for index, line in enumerate(draft.fees)
            ),
            progressive_billing_credit_amount_cents=draft.progressive_billing_credit_amount_cents + credit,
            progressive_credits=(
                *draft.progressive_credits,
                ProgressiveCredit(
                    position=position,
                    amount_cents=credit,
                    excess_cents=one.available_cents - credit,
                    shares=tuple(shares.items()),
                ),
            ),
        )
    return draft


def _shares(draft: InvoiceDraft, one: Billed, credit: int) -> Mapping[int, Fraction]:
    """What each fee bears: by what was billed of it as far as it reaches, the rest by what is left of each."""
    if credit <= 0:
        return {}
    total = sum(amount for _, amount in one.amounts)
    shares = dict.fromkeys(sorted(one.charges), Fraction(0))
    for index, amount in one.amounts:
        if index is not None and total:
            most = Fraction(draft.fees[index].fee.amount_cents)
            shares[index] = min(shares[index] + Fraction(credit * amount, total), most)
    rest = credit - sum(shares.values())
    if rest:
        left = {index: draft.fees[index].fee.amount_cents - share for index, share in shares.items()}
        whole = sum(left.values())
        shares = {index: share + rest * left[index] / whole for index, share in shares.items()}
    return _rounded(shares, credit)


def _rounded(shares: Mapping[int, Fraction], credit: int) -> Mapping[int, Fraction]:
    """Shares of five decimals that come to the credit; none grows beyond its fee, for fees are whole minor units."""
    scale = lcm(*(share.denominator for share in shares.values()))
    parts = allocate(credit * SHARE_UNITS, [int(share * scale) for share in shares.values()])
    return {index: Fraction(part, SHARE_UNITS) for index, part in zip(shares, parts, strict=True)}
