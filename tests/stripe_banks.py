"""The bank accounts that Stripe gives to customers for sending money to their balance, as its API tells them for each currency."""

from __future__ import annotations

from typing import Any

_IRELAND = {
    "city": "Dublin", "country": "IE", "line1": "1 Grand Canal Street Lower", "line2": None, "postal_code": "D02 H210",
    "state": "Dublin",
}  # fmt: skip
_US_BANK = {
    "city": "San Francisco", "country": "US", "line1": "420 Montgomery Street", "line2": None, "postal_code": "94104",
    "state": "CA",
}  # fmt: skip
_US_HOLDER = {
    "city": "Austin", "country": "US", "line1": "1 Main Street", "line2": "Floor 2", "postal_code": "78701", "state": "TX",
}  # fmt: skip
_OTHER = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}

_TYPES = {
    "eur": ("eu_bank_transfer", None),
    "gbp": ("gb_bank_transfer", "GB"),
    "jpy": ("jp_bank_transfer", "JP"),
    "mxn": ("mx_bank_transfer", "MX"),
    "usd": ("us_bank_transfer", "US"),
}
EURO_COUNTRIES = ("BE", "DE", "ES", "FR", "IE", "NL")


def instructions(number: int, currency: str, transfer: dict[str, Any]) -> dict[str, Any] | str:
    """What is told of the accounts of the customer with a number, or why nothing is."""
    if currency not in _TYPES:
        return f"Currency {currency} is not supported for bank transfers."
    kind, country = _TYPES[currency]
    if transfer.get("type") != kind:
        return f"The currency {currency} does not go with the bank transfer type {transfer.get('type')}."
    if currency == "eur":
        country = transfer.get("eu_bank_transfer", {}).get("country")
        if country not in EURO_COUNTRIES:
            return f"The country {country} is not supported for EU bank transfers."
    return {
        "object": "funding_instructions",
        "bank_transfer": {
            "country": country,
            "financial_addresses": _addresses(number, currency, country or ""),
            "type": kind,
        },
        "currency": currency,
        "funding_type": "bank_transfer",
        "livemode": False,
    }


def _addresses(number: int, currency: str, country: str) -> list[dict[str, Any]]:
    where = {"account_holder_address": _OTHER, "bank_address": _OTHER}
    match currency:
        case "eur":
            iban = {
                "account_holder_name": "Stripe Technology Europe Limited", "bic": "SXPYDEHH", "country": country,
                "iban": f"{country}{number:020}", "account_holder_address": _IRELAND, "bank_address": _IRELAND,
            }  # fmt: skip
            return [{"type": "iban", "iban": iban, "supported_networks": ["sepa"]}]
        case "gbp":
            sort_code = {
                "account_holder_name": "Stripe Payments UK Limited", "account_number": f"{number:08}",
                "sort_code": "108800", **where,
            }  # fmt: skip
            return [{"type": "sort_code", "sort_code": sort_code, "supported_networks": ["bacs", "fps"]}]
        case "jpy":
            zengin = {
                "account_holder_name": "ストライプジヤパン（カ", "account_number": f"{number:07}", "account_type": "futsu",
                "bank_code": "0009", "bank_name": "三井住友銀行", "branch_code": "950", "branch_name": "東京第二", **where,
            }  # fmt: skip
            return [{"type": "zengin", "zengin": zengin, "supported_networks": ["zengin"]}]
        case "mxn":
            spei = {
                "account_holder_name": "Stripe Payments Mexico", "bank_code": "646", "bank_name": "STP",
                "clabe": f"{646180110400000000 + number}", **where,
            }  # fmt: skip
            return [{"type": "spei", "spei": spei, "supported_networks": ["spei"]}]
    both = {
        "account_holder_name": "Acme, Inc.", "account_number": f"{11119980000000000 + number}", "account_type": "checking",
        "bank_name": "US Test Bank", "account_holder_address": _US_HOLDER, "bank_address": _US_BANK,
    }  # fmt: skip
    return [
        {"type": "aba", "aba": {**both, "routing_number": "999999999"}, "supported_networks": ["ach", "domestic_wire_us"]},
        {"type": "swift", "swift": {**both, "swift_code": "TESTUS99XXX"}, "supported_networks": ["swift"]},
    ]  # fmt: skip
