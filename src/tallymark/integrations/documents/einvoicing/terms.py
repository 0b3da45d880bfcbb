"""Words and codes that both syntaxes use."""

from __future__ import annotations

from tallymark.domain.einvoicing import TaxGroup
from tallymark.integrations.documents.einvoicing.xml import number

VAT = "VAT"
PIECE = "C62"
"""UN/ECE Recommendation 20: one."""

OUTSIDE_SCOPE = "Not subject to VAT"
OUTSIDE_SCOPE_CODE = "VATEX-EU-O"


def discount_reason(group: TaxGroup) -> str:
    """What a rate's share of coupons and progressive credits is called."""
    return f"Discount {number(group.rate)}%"
