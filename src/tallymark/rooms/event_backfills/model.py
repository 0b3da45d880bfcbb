"""What a backfill is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class BackfillStatus(StrEnum):
    """Where a backfill stands: it goes from open to closed, and from there to reverted."""

    OPEN = "open"
    CLOSED = "closed"
    REVERTED = "reverted"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBackfill:
    """What of which subscription and code is to be replaced, from `starts` to before `ends`, and why."""

    external_subscription_id: str
    code: str
    starts: datetime
    ends: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """A backfill as it is kept; `periods` is what closing it changed, as it is shown."""

    id: UUID
    stream_id: int
    external_subscription_id: str
    code: str
    starts: datetime
    ends: datetime
    reason: str
    status: BackfillStatus
    api_key_id: UUID | None
    user_email: str | None
    periods: Sequence[Mapping[str, Any]] | None
    created_at: datetime
    closed_at: datetime | None
    reverted_at: datetime | None
    added_events_count: int
    replaced_events_count: int

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies in its stretch of time."""
        return self.starts <= at < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who closes or reverts, a key or somebody in the web app, when, and why."""

    api_key_id: UUID | None
    user_email: str | None
    reason: str
    now: datetime
