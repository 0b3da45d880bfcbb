"""An invoice in the making: fees, what is deducted from them, taxes and totals. All amounts in minor units."""

from __future__ import annotations

from dataclasses import dataclass

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import Fee
from tallymark.domain.hashing import hashed_once
from tallymark.domain.values import value


@hashed_once
@dataclass(frozen=True, kw_only=True)
class TaxRate:
    """A tax as it stands when it is applied; `rate` is in percent (20 means 20 %)."""

    code: str
    name: str
    description: str | None
    rate: Fraction


@value
class AppliedTax:
    """A tax on a fee or an invoice: its rounded amount and the base it was taken of."""

    tax: TaxRate
    amount_cents: int
    base_cents: int


@value
class InvoicedFee:
    """A fee on its way through the invoice: what is deducted from it before taxes, and its taxes.

    `precise_coupons_amount_cents` is its part of progressive credits and of coupons; it has at most 5 decimals.
    """

    fee: Fee
    taxes: tuple[TaxRate, ...] = ()
    precise_coupons_amount_cents: Fraction = Fraction(0)
    applied_taxes: tuple[AppliedTax, ...] = ()
    taxes_amount_cents: int = 0
    taxes_precise_amount_cents: Fraction = Fraction(0)
    taxes_rate: Fraction = Fraction(0)

    @property
    def taxable_cents(self) -> Fraction:
        """What taxes are taken of: the rounded amount less its share of the deductions (pricing §2)."""
        return self.fee.amount_cents - self.precise_coupons_amount_cents

    @property
    def precise_taxable_cents(self) -> Fraction:
        """The same on the amount that was not rounded."""
        return self.fee.precise_amount_cents - self.precise_coupons_amount_cents


@value
class CouponCredit:
    """What one coupon took off; `position` is its place in the order in which coupons were applied.

    `base_cents` is what it was taken of, `shares` what each fee bears of it, by the fee's position.
    """

    position: int
    amount_cents: int
    base_cents: Fraction = Fraction(0)
    shares: tuple[tuple[int, Fraction], ...] = ()


@value
class ProgressiveCredit:
    """What an invoice took over of what was billed progressively, and what was billed in excess of the usage on it.

    `position` is its place among the progressive invoices that were taken over; `shares` are what each fee bears of it.
    """

    position: int
    amount_cents: int
    excess_cents: int
    shares: tuple[tuple[int, Fraction], ...] = ()


@value
class InvoiceDraft:
    """Fees and totals of an invoice; `compute_invoice` alone makes a complete one."""

    fees: tuple[InvoicedFee, ...]
    progressive_billing_credit_amount_cents: int = 0
    progressive_credits: tuple[ProgressiveCredit, ...] = ()
    coupons_amount_cents: int = 0
    coupon_credits: tuple[CouponCredit, ...] = ()
    applied_taxes: tuple[AppliedTax, ...] = ()
    taxes_amount_cents: int = 0
    taxes_rate: Fraction = Fraction(0)
    credit_notes_amount_cents: int = 0
    prepaid_credit_amount_cents: int = 0

    @property
    def fees_amount_cents(self) -> int:
        """The sum of the fees, before anything is taken off."""
        return sum(line.fee.amount_cents for line in self.fees)

    @property
    def sub_total_excluding_taxes_amount_cents(self) -> int:
        """Fees less what is deducted before taxes."""
        return (
            self.fees_amount_cents - self.progressive_billing_credit_amount_cents - self.coupons_amount_cents
        )

    @property
    def sub_total_including_taxes_amount_cents(self) -> int:
        """The same with taxes."""
        return self.sub_total_excluding_taxes_amount_cents + self.taxes_amount_cents

    @property
    def total_amount_cents(self) -> int:
        """What is due when the invoice is issued."""
        return (
            self.sub_total_including_taxes_amount_cents
            - self.credit_notes_amount_cents
            - self.prepaid_credit_amount_cents
        )
