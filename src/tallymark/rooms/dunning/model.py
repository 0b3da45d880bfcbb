"""What a dunning campaign is, and who is asked by which one (wallets §17); amounts are in minor units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from tallymark.domain.dunning import Progress, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """How customers are asked for what is overdue; `thresholds` are overdue balances by currency, from which on they are."""

    id: UUID
    code: str
    name: str
    description: str | None
    days_between_attempts: int
    max_attempts: int
    bcc_emails: tuple[str, ...]
    thresholds: Mapping[str, int]
    applied_to_organization: bool
    """Whether the default billing entity's customers are asked by it."""

    billing_entity_codes: tuple[str, ...]
    customers_count: int
    """The billing entities that have it, and how many customers have it of their own."""

    created_at: datetime
    updated_at: datetime

    @property
    def terms(self) -> Terms:
        """What decides when it asks."""
        return Terms(
            days_between_attempts=self.days_between_attempts,
            max_attempts=self.max_attempts,
            thresholds=self.thresholds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignInput:
    """What is asked for: columns; thresholds and whether it is the organization's where that is sent."""

    values: Mapping[str, Any] = field(default_factory=dict)
    thresholds: Mapping[str, int] | None = None
    applied_to_organization: bool | None = None


class Source(StrEnum):
    """Who has chosen the campaign by which a customer is asked."""

    CUSTOMER = "customer"
    BILLING_ENTITY = "billing_entity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a customer has of their own: a campaign, that there is to be none, or nothing, which is the billing entity's."""

    campaign_id: UUID | None = None
    is_excluded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDunning:
    """How a customer is asked: their own choice, the campaign that applies and whose it is, and how far it has come."""

    choice: Choice
    campaign: Campaign | None
    source: Source | None
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A customer whom a campaign may ask; `currency` is the one that they prefer."""

    customer_id: UUID
    external_id: str
    email: str | None
    currency: str | None
    campaign_id: UUID
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """An overdue invoice, and what is due of it."""

    invoice_id: UUID
    customer_id: UUID
    billing_entity_id: UUID
    currency: str
    due_cents: int
