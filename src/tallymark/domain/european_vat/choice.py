"""Which automatic tax a customer carries, as its code (subscriptions §1.7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from tallymark.domain.european_vat.numbers import read_vat_number
from tallymark.domain.european_vat.rates import MEMBERS, TERRITORIES

PREFIX = "lago_eu"
"""How the codes of automatic taxes begin."""

REVERSE_CHARGE = f"{PREFIX}_reverse_charge"
EXEMPT = f"{PREFIX}_tax_exempt"


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomaticTax:
    """A tax that the setting makes; `rate` in percent."""

    code: str
    name: str
    rate: Decimal
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a customer is taxed, and the number that they give; `entity_country` is the issuer's."""

    country: str | None
    zipcode: str | None
    vat_number: str | None
    entity_country: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the register said of a number: `country` is that of the number, as ISO writes it."""

    is_valid: bool
    country: str | None


def automatic_taxes() -> Iterator[AutomaticTax]:
    """Every tax that the setting makes: standard rates, territories, reverse charge and exemption."""
    for country, rate in MEMBERS.items():
        yield AutomaticTax(
            code=_standard(country),
            name=f"Lago EU {country} Standard",
            rate=rate,
            description=f"{country} standard rate of VAT",
        )
        for territory in TERRITORIES.get(country, ()):
            yield AutomaticTax(
                code=_exception(country, territory.name),
                name=f"Lago EU {country} {territory.name}",
                rate=territory.rate,
                description=f"VAT in {territory.name} ({country})",
            )
    yield AutomaticTax(
        code=REVERSE_CHARGE,
        name="Lago EU Reverse Charge",
        rate=Decimal(0),
        description="VAT is to be accounted for by the recipient",
    )
    yield AutomaticTax(
        code=EXEMPT, name="Lago EU Tax Exempt", rate=Decimal(0), description="Outside the scope of EU VAT"
    )


def territory_code(place: Place) -> str | None:
    """The tax of a territory with a rate of its own; None elsewhere. In France only businesses have it.

    >>> territory_code(Place(country="DE", zipcode="78 266", vat_number=None, entity_country="FR"))
    'lago_eu_de_exception_busingen_am_hochrhein'
    """
    if place.country is None or place.zipcode is None:
        return None
    zipcode = re.sub(r"\s", "", place.zipcode)
    for territory in TERRITORIES.get(place.country, ()):
        if territory.zipcodes.fullmatch(zipcode):
            needs_number = place.country == "FR"
            if needs_number and (not place.vat_number or read_vat_number(place.vat_number) is None):
                return None
            return _exception(place.country, territory.name)
    return None


def choose_code(place: Place) -> str | None:
    """The tax that follows without asking the register; None where a VAT number has to be checked first."""
    territory = territory_code(place)
    if territory is not None:
        return territory
    return None if place.vat_number else _by_country(place)


def choose_after_check(place: Place, verdict: Verdict) -> str:
    """The tax that follows from the register's answer about the customer's number."""
    if not verdict.is_valid or verdict.country is None:
        return _by_country(place)
    if verdict.country != place.entity_country:
        return REVERSE_CHARGE
    return territory_code(place) or _standard(verdict.country)


def _by_country(place: Place) -> str:
    if place.country is None:
        return _standard(place.entity_country or "")
    return _standard(place.country) if place.country in MEMBERS else EXEMPT


def _standard(country: str) -> str:
    return f"{PREFIX}_{country.lower()}_standard"


def _exception(country: str, name: str) -> str:
    plain = re.sub(r"[^a-z0-9]", "_", name.lower().translate(_UMLAUTS))
    return f"{PREFIX}_{country.lower()}_exception_{plain}"


_UMLAUTS = str.maketrans("äöüé", "aoue")
