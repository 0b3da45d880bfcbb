"""From fees to what is due: deductions, taxes and totals, in one visible order (invoicing §5)."""

from tallymark.domain.invoicing.compute import compute_invoice
from tallymark.domain.invoicing.coupons import Coupon
from tallymark.domain.invoicing.model import (
    AppliedTax,
    CouponCredit,
    InvoicedFee,
    InvoiceDraft,
    ProgressiveCredit,
    TaxRate,
)
from tallymark.domain.invoicing.progressive import Billed, ProgressiveInvoice
from tallymark.domain.invoicing.taxes import apply_fee_taxes, apply_taxes, resolve_taxes

__all__ = [
    "AppliedTax",
    "Billed",
    "Coupon",
    "CouponCredit",
    "InvoiceDraft",
    "InvoicedFee",
    "ProgressiveCredit",
    "ProgressiveInvoice",
    "TaxRate",
    "apply_fee_taxes",
    "apply_taxes",
    "compute_invoice",
    "resolve_taxes",
]
