"""The order of operations from fees to the total."""

from __future__ import annotations

from collections.abc import Sequence

from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing.coupons import Coupon, apply_coupons
from tallymark.domain.invoicing.model import InvoicedFee, InvoiceDraft
from tallymark.domain.invoicing.progressive import Billed, apply_progressive_credits
from tallymark.domain.invoicing.taxes import apply_taxes

SHARE_ERROR = Fraction(1, 100_000)
"""What rounding to five decimals may cost one fee's share of one coupon."""


class DoesNotAddUp(AssertionError):
    """The invoice's totals do not follow from its fees: it must not be issued."""


def compute_invoice(
    fees: Sequence[InvoicedFee], coupons: Sequence[Coupon] = (), billed: Sequence[Billed] = ()
) -> InvoiceDraft:
    """Take fees to totals: progressive credits, coupons, in the orders given, then taxes of what is left (invoicing §5).

    Raises `DoesNotAddUp` rather than return an invoice that breaks a law of invoicing §18.
    """
    draft = apply_progressive_credits(InvoiceDraft(fees=tuple(fees)), billed)
    draft = apply_taxes(apply_coupons(draft, coupons))
    check(draft)
    return draft


def check(draft: InvoiceDraft) -> None:
    """Hold a draft against the laws that every invoice must keep (invoicing §18.1, §18.3, §18.4)."""
    parts = (
        draft.fees_amount_cents,
        draft.sub_total_excluding_taxes_amount_cents,
        draft.sub_total_including_taxes_amount_cents,
        draft.total_amount_cents,
    )
    if min(parts) < 0:
        raise DoesNotAddUp(f"a total is negative: {parts}")
    for line in draft.fees:
        if not 0 <= line.precise_coupons_amount_cents <= line.fee.amount_cents:
            raise DoesNotAddUp(
                f"a fee of {line.fee.amount_cents} gives {line.precise_coupons_amount_cents} to deductions"
            )
    spread = sum((line.precise_coupons_amount_cents for line in draft.fees), Fraction(0))
    deducted = draft.progressive_billing_credit_amount_cents + draft.coupons_amount_cents
    if abs(spread - deducted) > len(draft.fees) * len(draft.coupon_credits) * SHARE_ERROR:
        raise DoesNotAddUp(f"deductions of {deducted} are not the fees' {spread}")
    shown = sum(tax.amount_cents for tax in draft.applied_taxes)
    if 2 * abs(draft.taxes_amount_cents - shown) > len(draft.applied_taxes) + 1:
        raise DoesNotAddUp(f"taxes of {draft.taxes_amount_cents} do not follow from {shown}")
    of_fees = sum(line.taxes_amount_cents for line in draft.fees)
    if 2 * abs(draft.taxes_amount_cents - of_fees) > len(draft.fees) + 1:
        raise DoesNotAddUp(f"taxes of {draft.taxes_amount_cents} do not follow from the fees' {of_fees}")
