"""What a custom section is (platform §13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Owner(StrEnum):
    """What can select sections; the value is the owner's table."""

    BILLING_ENTITY = "billing_entities"
    CUSTOMER = "customers"
    SUBSCRIPTION = "subscriptions"
    WALLET = "wallets"
    WALLET_TRANSACTION = "wallet_transactions"
    WALLET_RULE = "recurring_transaction_rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A block of text: `display_name` is its heading on the invoice, `details` its body."""

    id: UUID
    organization_id: UUID
    code: str
    name: str
    description: str | None
    display_name: str | None
    details: str | None
    applied_to_organization: bool
    """Whether the default billing entity has selected it."""

    created_at: datetime
    is_generated: bool = False
    """Whether nobody has written it: what it says is made for each invoice, by its customer and currency."""
