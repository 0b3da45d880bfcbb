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
    is_held: bool = False
    """Whether it came too late to count anywhere, or waits to be judged (late.py)."""

    counts_at: datetime
    """When it counts: what came too late may count from the start of a later period."""

    @property
    def is_moved(self) -> bool:
        """Whether it counts at another time than its own."""
        return self.counts_at != self.timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What an event is, and what it is to be."""

    before: Stored
    after: Stored

    @property
    def instants(self) -> list[datetime]:
        """When it counts, and when it is to count."""
        return [event.counts_at for event in (self.before, self.after) if not event.is_void]


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
    user_email: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who corrects, a key or somebody in the web app, when, and why."""

    api_key_id: UUID | None
    user_email: str | None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LateStream:
    """A stream with late events to be judged; what has history counts in every later period anyway (metering §5.3)."""

    id: int
    external_subscription_id: str
    code: str
    has_history: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A late event to be judged; one that is held is in no stream, and one that has a price in advance is billed."""

    event_id: UUID
    timestamp: datetime
    created_at: datetime
    is_held: bool
    has_price: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a late event: it counts by its own time, in no period, or in one that began at `billed_from`."""

    event_id: UUID
    is_rejected: bool = False
    billed_from: datetime | None = None
    subscription_id: UUID | None = None
