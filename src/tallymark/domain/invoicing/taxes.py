"""Taxes of fees and of the invoice. The invoice's are taken anew of unrounded bases (pricing §2, invoicing §5.3-5.4)."""

from __future__ import annotations

from dataclasses import replace

from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing.model import AppliedTax, InvoicedFee, InvoiceDraft, TaxRate
from tallymark.domain.money import round_cents, round_half_away, trunc_cents


def resolve_taxes(*levels: tuple[TaxRate, ...]) -> tuple[TaxRate, ...]:
    """The taxes of a fee: those of the first level that has any (pricing §2)."""
    return next((level for level in levels if level), ())


def apply_fee_taxes(line: InvoicedFee) -> InvoicedFee:
    """Tax one fee: each tax shows its own rounded amount, the fee's total is rounded once (invoicing §5.3)."""
    taxable = line.taxable_cents
    exact = [taxable * tax.rate / 100 for tax in line.taxes]
    base_cents = trunc_cents(taxable)
    rate = sum((tax.rate for tax in line.taxes), Fraction(0))
    return replace(
        line,
        applied_taxes=tuple(
            AppliedTax(tax=tax, amount_cents=round_cents(amount), base_cents=base_cents)
            for tax, amount in zip(line.taxes, exact, strict=True)
        ),
        taxes_amount_cents=round_cents(sum(exact, Fraction(0))),
        taxes_precise_amount_cents=line.precise_taxable_cents * rate / 100,
        taxes_rate=rate,
    )


def apply_taxes(draft: InvoiceDraft) -> InvoiceDraft:
    """Tax every fee, then the invoice: the sum over its taxes is rounded once, so it is not the sum of what fees show."""
    fees = tuple(apply_fee_taxes(line) for line in draft.fees)
    bases: dict[TaxRate, Fraction] = {}
    for line in fees:
        for tax in line.taxes:
            bases[tax] = bases.get(tax, Fraction(0)) + line.taxable_cents
    exact = {tax: base * tax.rate / 100 for tax, base in bases.items()}
    return replace(
        draft,
        fees=fees,
        applied_taxes=tuple(
            AppliedTax(tax=tax, amount_cents=round_cents(exact[tax]), base_cents=trunc_cents(base))
            for tax, base in bases.items()
        ),
        taxes_amount_cents=round_cents(sum(exact.values(), Fraction(0))),
        taxes_rate=_mean_rate(draft, fees, bases),
    )


def _mean_rate(
    draft: InvoiceDraft, fees: tuple[InvoicedFee, ...], bases: dict[TaxRate, Fraction]
) -> Fraction:
    """The taxes' rates weighted by their share of the subtotal; by number of fees where there is none to share."""
    sub_total = draft.sub_total_excluding_taxes_amount_cents
    mean = Fraction(0)
    for tax, base in bases.items():
        if sub_total > 0:
            share = base / sub_total
        else:
            share = Fraction(sum(tax in line.taxes for line in fees), len(fees))
        mean += tax.rate * share
    return round_half_away(mean, 5)
