"""Who buys in the demonstration: invented customers, the same every time, and what becomes of each in the year."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

SEED = "skerry"

FIRST = (
    "Alderway", "Bramblewick", "Calderin", "Dovetarn", "Ellowick", "Fennimore", "Gullhaven", "Hartsworn", "Inkwater",
    "Juniper Row", "Kestrelmoor", "Larkspan", "Mossfallow", "Northbeck", "Ottermere", "Pinevarrow", "Quillonby", "Ravensholt",
    "Saltmarrow", "Thistledown", "Umberley", "Verrowdale", "Wrenfield", "Yarrowby", "Zephyrine",
)  # fmt: skip
LAST = (
    "Robotics", "Logistics", "Analytics", "Health", "Foods", "Energy", "Studios", "Systems", "Mobility", "Optics", "Labs",
    "Textiles",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """Where customers are: how they are taxed, in which language and currency."""

    code: str
    city: str
    zipcode: str
    street: str
    timezone: str
    locale: str
    tax: str
    currency: str = "EUR"
    state: str | None = None


COUNTRIES = (
    Country(code="DE", city="Lüneburg", zipcode="21335", street="Speicherweg", timezone="Europe/Berlin", locale="de", tax="vat_de"),
    Country(code="FR", city="Nantes", zipcode="44000", street="rue des Tilleuls", timezone="Europe/Paris", locale="fr", tax="vat_fr"),
    Country(code="IE", city="Cork", zipcode="T12 AB34", street="Harbour Row", timezone="Europe/Dublin", locale="en", tax="vat_ie"),
    Country(code="US", city="Portland", zipcode="97205", street="Juniper Avenue", timezone="America/Los_Angeles", locale="en",
            tax="no_tax", currency="USD", state="OR"),
    Country(code="ES", city="Gijón", zipcode="33201", street="calle del Faro", timezone="Europe/Madrid", locale="es", tax="vat_es"),
    Country(code="SE", city="Kalmar", zipcode="392 32", street="Fyrgatan", timezone="Europe/Stockholm", locale="sv", tax="vat_se"),
    Country(code="IT", city="Trieste", zipcode="34121", street="via del Molo", timezone="Europe/Rome", locale="it", tax="vat_it"),
    Country(code="US", city="Albany", zipcode="12207", street="Ferry Street", timezone="America/New_York", locale="en",
            tax="no_tax", currency="USD", state="NY"),
    Country(code="NL", city="Hoorn", zipcode="1621", street="Kadeplein", timezone="Europe/Amsterdam", locale="en", tax="vat_nl"),
    Country(code="BR", city="Curitiba", zipcode="80010", street="rua das Araucárias", timezone="America/Sao_Paulo",
            locale="pt-BR", tax="no_tax", currency="USD", state="PR"),
)  # fmt: skip

PLANS = ("team", "ai", "prepaid", "team", "enterprise", "ai", "team", "annual", "prepaid", "ai")
"""In turn, so that most are small."""

HABITS = ("prompt", "prompt", "usual", "prompt", "late", "usual", "prompt", "partly", "usual", "never")
"""How they pay, in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """A customer: with what they begin and in which month (from 0), how they pay, and what changes.

    `changes` are (month, what): another plan, or `end`. `size` says how much they use, 1 is a small one.
    """

    number: int
    name: str
    country: Country
    plan: str
    month: int
    habit: str
    size: int
    changes: tuple[tuple[int, str], ...]

    @property
    def external_id(self) -> str:
        """Their id in the company's own books."""
        return f"cus_{self.number:03d}"

    @property
    def subscription_id(self) -> str:
        """That of their subscription, whatever its plan."""
        return f"sub_{self.number:03d}"

    @property
    def is_partner(self) -> bool:
        """Whether they resell, and write their bills themselves."""
        return self.number % 28 == 6

    def order_number(self, plan: str) -> str | None:
        """The number of their purchase order, without which large ones pay nothing."""
        return f"PO-{4_000 + self.number * 37}" if plan in ("enterprise", "annual") else None

    def plan_code(self, plan: str) -> str:
        """The code of a plan in their currency."""
        return plan if self.country.currency == "EUR" else f"{plan}_{self.country.currency.lower()}"

    def plan_in(self, month: int) -> str | None:
        """The plan that they are on in a month, from its beginning or from when they come; None before and afterwards."""
        if month < self.month:
            return None
        current: str | None = self.plan
        for changed, what in self.changes:
            if changed <= month:
                current = None if what == "end" else what
        return current

    def record(self) -> dict[str, Any]:
        """The customer as it is sent."""
        domain = "".join(self.name.lower().split())
        place = self.country
        return {
            "external_id": self.external_id, "name": self.name, "legal_name": f"{self.name} Ltd",
            "customer_type": "company", "account_type": "partner" if self.is_partner else "customer",
            **({"billing_entity_code": "skerry_us"} if place.code == "US" else {}),
            "email": f"accounts@{domain}.example", "url": f"https://{domain}.example",
            "address_line1": f"{self.number * 7 % 90 + 1} {place.street}", "city": place.city, "zipcode": place.zipcode,
            "state": place.state, "country": place.code, "timezone": place.timezone, "currency": place.currency,
            "tax_identification_number": f"{place.code}{100_000_000 + self.number * 7_919}", "tax_codes": [place.tax],
            "billing_configuration": {
                "document_locale": place.locale,
                **({"invoice_grace_period": 5} if self.number % 15 == 4 else {}),
            },
            "metadata": [{"key": "segment", "value": ("small", "mid", "large")[min(self.size // 3, 2)],
                          "display_in_invoice": False}],
        }  # fmt: skip


def buyers(customers: int, months: int) -> list[Buyer]:
    """So many customers over so many months: a third are there from the beginning, the others come one after another."""
    found = []
    for number in range(1, customers + 1):
        chance = Random(f"{SEED}:{number}")
        plan = PLANS[(number - 1) % len(PLANS)]
        month = 0 if number % 3 == 1 else (number * 5 % max(months - 2, 1))
        found.append(
            Buyer(
                number=number,
                name=f"{FIRST[(number - 1) % len(FIRST)]} {LAST[(number - 1 + (number - 1) // len(FIRST) * 4) % len(LAST)]}",
                country=COUNTRIES[(number * 3 + number // 10) % len(COUNTRIES)],
                plan=plan,
                month=month,
                habit=HABITS[(number * 7) % len(HABITS)],
                size=1 + int(chance.paretovariate(1.3)) % 8,
                changes=_changes(number, plan, month, months),
            )
        )
    return found


def _changes(number: int, plan: str, month: int, months: int) -> tuple[tuple[int, str], ...]:
    """Every sixth one moves up, every eleventh down, every thirteenth leaves, some months after they came."""
    changes: list[tuple[int, str]] = []
    if number % 6 == 1 and plan in ("team", "ai"):
        changes.append((month + 3, "enterprise" if number % 12 == 1 else "ai" if plan == "team" else "team"))
    elif number % 11 == 5 and plan == "enterprise":
        changes.append((month + 5, "ai"))
    elif number % 13 == 0:
        changes.append((month + 4, "end"))
    return tuple((at, what) for at, what in changes if at < months - 1)
