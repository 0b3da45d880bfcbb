"""What an invoice can still be given back by credit notes, and in which parts (invoicing §11.3-11.5). Minor units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing.model import TaxRate
from tallymark.domain.money import round_cents

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditableFee:
    """A fee as credit notes see it: its amount, what coupons took of it, and what earlier notes gave back of it.

    Items are whole cents but for automatic ones, whose exact sum is in `precise_credited_cents`.
    """

    amount_cents: int
    coupons_cents: Fraction = ZERO
    taxes: tuple[TaxRate, ...] = ()
    credited_cents: int = 0
    precise_credited_cents: Fraction = ZERO

    @property
    def creditable_cents(self) -> int:
        """What is left of it, before coupons and taxes."""
        return self.amount_cents - self.credited_cents

    def coupon_share(self, item_cents: Fraction) -> Fraction:
        """What coupons took of a part of it."""
        return self.coupons_cents * item_cents / self.amount_cents if self.amount_cents else ZERO

    @property
    def tax_rate(self) -> Fraction:
        """All of its taxes together, in percent."""
        return sum((tax.rate for tax in self.taxes), ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the earlier notes of an invoice sum to; `precise_taxes_cents` before these were rounded."""

    sub_total_cents: int = 0
    taxes_cents: int = 0
    precise_taxes_cents: Fraction = ZERO
    credit_cents: int = 0
    refund_cents: int = 0
    offset_cents: int = 0

    @property
    def total_cents(self) -> int:
        """All that was given back."""
        return self.credit_cents + self.refund_cents + self.offset_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditableInvoice:
    """An invoice as credit notes see it.

    `sub_total_cents` and `taxes_cents` are its own, `total_cents` what it came to after credits. For a top-up
    `wallet_cents` is what its wallet still has of it, nothing before it is paid; None for every other invoice.
    """

    fees: tuple[CreditableFee, ...]
    sub_total_cents: int
    taxes_cents: int
    total_cents: int
    paid_cents: int = 0
    is_paid: bool = False
    given: Given = Given()
    wallet_cents: int | None = None

    @property
    def is_top_up(self) -> bool:
        """Whether it sold wallet credits."""
        return self.wallet_cents is not None

    @property
    def due_cents(self) -> int:
        """What is still to be paid."""
        return self.total_cents - self.paid_cents - self.given.offset_cents

    @property
    def left_sub_total_cents(self) -> int:
        """What no note has given back yet, before taxes."""
        return max(self.sub_total_cents - self.given.sub_total_cents, 0)

    @property
    def left_taxes_cents(self) -> int:
        """What no note has given back yet of its taxes."""
        return max(self.taxes_cents - self.given.taxes_cents, 0)

    @property
    def left_cents(self) -> int:
        """What notes can give back at the most, taxes included."""
        if self.wallet_cents is not None and self.is_paid:
            return min(self.wallet_cents, self.left_sub_total_cents)
        return self.left_sub_total_cents + self.left_taxes_cents

    @property
    def unrefunded_cents(self) -> int:
        """What was paid and not refunded."""
        return max(self.paid_cents - self.given.refund_cents, 0)

    @property
    def refundable_cents(self) -> int:
        """What can be paid back: of what was paid, and not before all that is due is known to have been."""
        if self.paid_cents == self.total_cents and not self.is_paid:
            return 0
        return min(self.unrefunded_cents, self.left_cents)

    @property
    def offsettable_cents(self) -> int:
        """What can be taken off what is still due; a top-up is unsold as a whole."""
        if self.is_top_up:
            return 0 if self.is_paid or self.due_cents <= 0 else self.total_cents
        return min(max(self.due_cents, 0), self.left_cents)

    @property
    def gross_cents(self) -> int:
        """The fees with their taxes, as if there were no coupons."""
        taxes = sum((fee.amount_cents * fee.tax_rate / 100 for fee in self.fees), ZERO)
        return sum(fee.amount_cents for fee in self.fees) + round_cents(taxes)

    def leaves(self, items: Sequence[tuple[int, Fraction]]) -> int:
        """What would be left of the fees, before coupons and taxes, after these items (position of the fee, amount)."""
        taken = sum(round_cents(amount) for _, amount in items)
        return sum(fee.creditable_cents for fee in self.fees) - taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """How a note gives back: for later invoices, as money, or off what is due of its own invoice."""

    credit_cents: int = 0
    refund_cents: int = 0
    offset_cents: int = 0

    @property
    def total_cents(self) -> int:
        """All of it."""
        return self.credit_cents + self.refund_cents + self.offset_cents
