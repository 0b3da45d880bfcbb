"""What a stored event is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One record of usage, as it came in."""

    id: UUID
    transaction_id: str
    external_subscription_id: str
    code: str
    timestamp: datetime
    created_at: datetime
    properties: Mapping[str, Any]
    precise_total_amount_cents: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which events a list shows; bounds are inclusive."""

    code: str | None = None
    external_subscription_id: str | None = None
    timestamp_from: datetime | None = None
    timestamp_to: datetime | None = None
