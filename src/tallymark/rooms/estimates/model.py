"""An event that is asked about, and what it would cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedEvent:
    """An event as it is described; `timestamp` is when it would happen, None for now."""

    code: str
    external_subscription_id: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    transaction_id: str | None = None
    timestamp: datetime | None = None
    has_bad_timestamp: bool = False
    precise_total_amount_cents: Decimal | None = None
