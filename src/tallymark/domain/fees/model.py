"""A fee: the amount for one thing in one period, with all that its amount follows from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from tallymark.domain.exact import Fraction
from tallymark.domain.money import Currency, cut_minor_units, plain_text
from tallymark.domain.values import value

JSON = str | int | bool | None | list["JSON"] | dict[str, "JSON"]
Step = Mapping[str, JSON]
"""One line of a derivation (beyond.md §1): the output of one is the input of the next."""


class FeeType(StrEnum):
    """What a fee is for, as the wire names it."""

    SUBSCRIPTION = "subscription"
    CHARGE = "charge"
    FIXED_CHARGE = "fixed_charge"
    COMMITMENT = "commitment"
    ADD_ON = "add_on"
    CREDIT = "credit"


@value
class PricingUnitAmounts:
    """A fee's amounts in its charge's pricing unit, a virtual currency of 100 cents (pricing §11)."""

    short_name: str
    conversion_rate: Fraction
    amount_cents: int
    precise_amount_cents: Fraction
    unit_amount_cents: int
    precise_unit_amount: Fraction


@value
class Fee:
    """The amount for one thing in one period, before coupons and taxes.

    `amount_cents` is rounded to the currency's minor unit, `precise_amount_cents` is not; `precise_unit_amount` is in
    currency units.
    """

    fee_type: FeeType
    units: Fraction
    total_aggregated_units: Fraction
    events_count: int | None
    amount_cents: int
    precise_amount_cents: Fraction
    precise_unit_amount: Fraction
    unit_amount_cents: int
    amount_details: Mapping[str, JSON] = field(default_factory=dict)
    explanation: tuple[Step, ...] = ()
    pricing_unit: PricingUnitAmounts | None = None

    @property
    def is_zero(self) -> bool:
        """Whether nothing was used and nothing is due; such a charge fee is not kept (invoicing §4.1)."""
        return not (self.units or self.amount_cents or self.events_count)


def standard_pricing_step(units: str, unit_amount: Fraction, amount: str) -> Step:
    """Units at one price, in major units, as the standard charge model tells it; `units` and `amount` as they are shown."""
    price = plain_text(unit_amount)
    line: dict[str, JSON] = {
        "from": "0",
        "to": None,
        "units": units,
        "unit_amount": price,
        "flat_amount": "0",
        "amount": amount,
    }
    return {
        "step": "pricing",
        "charge_model": "standard",
        "properties": {"amount": price},
        "lines": [line],
        "amount": amount,
    }


def rounding_step(amount_cents: int) -> Step:
    """The last step of every derivation."""
    return {"step": "rounding", "rule": "half_away_from_zero", "unit": "cent", "amount_cents": amount_cents}


def unit_cents(unit_amount: Fraction, currency: Currency) -> int:
    """A unit amount in minor units, cut and not rounded (pricing §1.4)."""
    return cut_minor_units(unit_amount, currency)
