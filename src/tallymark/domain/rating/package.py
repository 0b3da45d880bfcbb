"""Package: units beyond the free ones in packages, an opened one paid in full (pricing §7.5)."""

from __future__ import annotations

from dataclasses import dataclass

from tallymark.domain.exact import Fraction
from tallymark.domain.money import Currency, ceil_to
from tallymark.domain.rating.model import (
    NOTHING,
    ZERO,
    Details,
    Needs,
    Rated,
    Usage,
    amount_text,
    rated,
    units_text,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePrice:
    """`amount` currency units for each package of `package_size` units, after `free_units`."""

    amount: Fraction
    package_size: int
    free_units: int

    def __post_init__(self) -> None:
        if self.package_size <= 0:
            raise ValueError("a package holds at least one unit")
        if self.amount < 0 or self.free_units < 0:
            raise ValueError("neither a price nor what is free is negative")

    @property
    def needs(self) -> Needs:
        """Units only."""
        return NOTHING

    def rate(self, usage: Usage, currency: Currency) -> Rated:  # noqa: ARG002 - the protocol's shape
        """Count the packages opened."""
        paid = usage.units - self.free_units
        amount = self.packages(usage.units) * self.amount
        return rated(usage, amount, self._details(usage), unit_amount=amount / paid if paid > 0 else ZERO)

    def packages(self, units: Fraction) -> int:
        """How many packages so many units open.

        >>> PackagePrice(amount=Fraction(5), package_size=10, free_units=10).packages(Fraction(31))
        3
        """
        return int(ceil_to(max(units - self.free_units, ZERO) / self.package_size))

    def _details(self, usage: Usage) -> Details:
        if not usage.units:
            return {
                "free_units": "0.0",
                "paid_units": "0.0",
                "per_package_size": 0,
                "per_package_unit_amount": "0.0",
            }
        return {
            "free_units": units_text(self.free_units),
            "paid_units": units_text(max(usage.units - self.free_units, ZERO)),
            "per_package_size": self.package_size,
            "per_package_unit_amount": amount_text(self.amount),
        }
