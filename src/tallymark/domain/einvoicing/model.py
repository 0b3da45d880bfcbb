"""What an electronic invoice, credit note or receipt says, whatever the syntax. Amounts in minor units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum

from tallymark.domain.einvoicing.tax_groups import TaxCategory, TaxGroup
from tallymark.domain.exact import Fraction

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
    "Totals",
]


class DocumentType(Enum):
    """The UNTDID 1001 code of a document."""

    INVOICE = "380"
    CREDIT_NOTE = "381"
    PREPAYMENT = "386"
    SELF_BILLED = "389"
    RECEIPT = "202"


class PaymentMeans(StrEnum):
    """The UNTDID 4461 code of how a document is, or was, paid."""

    STANDARD = "1"
    CARD = "48"
    PREPAID_CREDITS = "57"
    CREDIT_NOTES = "97"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An address; `country` is an ISO 3166 code."""

    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    zipcode: str | None = None
    state: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who sells or buys. `identifier` is what the issuer calls them; `vat_number` is left out where nothing is subject to VAT."""

    identifier: str
    name: str
    place: Place
    legal_number: str | None = None
    vat_number: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One fee: `unit_amount` in currency units and never negative; what is given back has negative units."""

    name: str
    description: str | None
    units: Fraction
    unit_amount: Fraction
    amount_cents: int
    tax_rate: Fraction
    category: TaxCategory
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Predecessor:
    """The invoice that a credit note gives back of."""

    number: str
    issuing_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The sums that the rules BR-CO-10 to BR-CO-16 hold together; negative on credit notes."""

    lines_cents: int
    allowances_cents: int
    taxes_cents: int
    prepaid_cents: int

    @property
    def tax_basis_cents(self) -> int:
        """Without taxes."""
        return self.lines_cents - self.allowances_cents

    @property
    def inclusive_cents(self) -> int:
        """With taxes."""
        return self.tax_basis_cents + self.taxes_cents

    @property
    def payable_cents(self) -> int:
        """What is left to pay."""
        return self.inclusive_cents - self.prepaid_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectronicDocument:
    """An invoice or credit note as EN 16931 wants it told."""

    document_type: DocumentType
    number: str
    issuing_date: date
    due_date: date | None
    payment_terms: str | None
    currency: str
    seller: Party
    buyer: Party
    buyer_reference: str
    purchase_order_number: str | None
    predecessor: Predecessor | None
    note: str | None
    payment_means: PaymentMeans
    lines: tuple[Line, ...]
    tax_groups: tuple[TaxGroup, ...]
    totals: Totals

    @property
    def delivered_on(self) -> date:
        """The last day that anything on it was for."""
        return max((line.last_day for line in self.lines if line.last_day), default=self.issuing_date)

    @property
    def is_credit_note(self) -> bool:
        """Whether it gives back."""
        return self.document_type is DocumentType.CREDIT_NOTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A payment that came in, and the invoices that it was for."""

    number: str
    issuing_date: date
    currency: str
    amount_cents: int
    reference: str | None
    invoice_numbers: tuple[str, ...]
    sender: Party
    receiver: Party
