"""Electronic invoices by EN 16931: what such a document says, and the sums that make it valid (invoicing §15.1)."""

from tallymark.domain.einvoicing.model import (
    DocumentType,
    ElectronicDocument,
    Line,
    Party,
    PaymentMeans,
    Place,
    Predecessor,
    Receipt,
    TaxCategory,
    Totals,
)
from tallymark.domain.einvoicing.tax_groups import TaxedAmount, TaxGroup, compute_tax_groups

__all__ = [
    "DocumentType",
    "ElectronicDocument",
    "Line",
    "Party",
    "PaymentMeans",
    "Place",
    "Predecessor",
    "Receipt",
    "TaxCategory",
    "TaxGroup",
    "TaxedAmount",
    "Totals",
    "compute_tax_groups",
]
