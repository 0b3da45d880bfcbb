"""What a tax is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing import TaxRate


class Owner(StrEnum):
    """What can carry taxes; the value is the owner's table."""

    BILLING_ENTITY = "billing_entities"
    CUSTOMER = "customers"
    PLAN = "plans"
    CHARGE = "charges"
    FIXED_CHARGE = "fixed_charges"
    COMMITMENT = "commitments"
    ADD_ON = "add_ons"


@dataclass(frozen=True, kw_only=True)
class Tax:
    """A tax; `rate` is in percent (20 means 20 %)."""

    id: UUID
    code: str
    name: str
    rate: Decimal
    description: str | None
    applied_to_organization: bool
    created_at: datetime

    @cached_property
    def as_rate(self) -> TaxRate:
        """The tax as it is computed with and copied onto documents."""
        return TaxRate(code=self.code, name=self.name, description=self.description, rate=Fraction(self.rate))


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedTaxView:
    """A tax with the billing entities that carry it."""

    tax: Tax
    is_default_entitys: bool
    billing_entity_codes: tuple[str, ...]
