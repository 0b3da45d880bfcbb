"""Value-added tax in the European Union: rates, territories, numbers, and which tax a customer carries."""

from tallymark.domain.european_vat.choice import (
    EXEMPT,
    PREFIX,
    REVERSE_CHARGE,
    AutomaticTax,
    Place,
    Verdict,
    automatic_taxes,
    choose_after_check,
    choose_code,
    territory_code,
)
from tallymark.domain.european_vat.numbers import VatNumber, read_vat_number
from tallymark.domain.european_vat.rates import MEMBERS

__all__ = [
    "EXEMPT",
    "MEMBERS",
    "PREFIX",
    "REVERSE_CHARGE",
    "AutomaticTax",
    "Place",
    "VatNumber",
    "Verdict",
    "automatic_taxes",
    "choose_after_check",
    "choose_code",
    "read_vat_number",
    "territory_code",
]
