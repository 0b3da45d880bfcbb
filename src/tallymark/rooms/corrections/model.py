"""What a correction is, and the versions that it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An event as it is stored now, voided or not; its properties as the JSON text that they are."""

    id: UUID
    transaction_id: str
    external_subscription_id: str
    code: str
    timestamp: datetime
    created_at: datetime
    properties: str
    precise_total_amount_cents: Decimal | None
    is_void: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One of the states that an event was in; the first has no reason and nobody who gave it."""

    version: int
    is_void: bool
    timestamp: datetime
    properties: Mapping[str, Any]
    precise_total_amount_cents: Decimal | None
    reason: str | None
    api_key_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who corrects, when, and why."""

    api_key_id: UUID
    reason: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """What of an event is to be otherwise; what is not named stays. Properties are JSON text, and replaced as a whole."""

    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def timestamp(self) -> datetime | None:
        """When it happened."""
        return self.changes.get("timestamp")
