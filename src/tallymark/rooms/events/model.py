"""What a stored event is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One record of usage, as it came in.

    Where it counts is told by `timestamp`; what came too late may count in a later period (beyond.md §3).
    """

    id: UUID
    transaction_id: str
    external_subscription_id: str
    code: str
    timestamp: datetime
    created_at: datetime
    properties: Mapping[str, Any]
    precise_total_amount_cents: Decimal | None
    occurred_at: datetime | None = None
    """When it happened, where it counts at another time."""
    subscription_id: UUID | None = None
    billed_from: datetime | None = None
    """The period in which it counts, where that is not its own: whose, and since when it runs."""

    @property
    def happened_at(self) -> datetime:
        """Its own time, wherever it counts."""
        return self.occurred_at or self.timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which events a list shows; bounds are inclusive."""

    code: str | None = None
    external_subscription_id: str | None = None
    timestamp_from: datetime | None = None
    timestamp_to: datetime | None = None


class UnmatchedReason(StrEnum):
    """Why an event counts nowhere (beyond.md §2)."""

    UNKNOWN_METRIC = "unknown_metric"
    UNKNOWN_SUBSCRIPTION = "unknown_subscription"
    OUTSIDE_SUBSCRIPTION = "outside_subscription"
    NO_CHARGE = "no_charge"
    MISSING_PROPERTY = "missing_property"
    INVALID_PROPERTY = "invalid_property"
    TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmatchedCount:
    """How many events of a subscription and code count nowhere for one reason."""

    reason: UnmatchedReason
    code: str
    external_subscription_id: str
    events_count: int


FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
LAST_INSTANT = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which streams and times of events are meant, bounds included; None means all."""

    code: str | None = None
    external_subscription_id: str | None = None
    earliest: datetime = FIRST_INSTANT
    latest: datetime = LAST_INSTANT


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """How many events were looked at again, and how many of them count."""

    examined: int
    matched: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReport:
    """What was odd about the events that an organization received in an hour, as transaction ids (metering §1.7)."""

    organization_id: UUID
    invalid_code: Sequence[str]
    missing_aggregation_property: Sequence[str]
    invalid_filter_values: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalWindow:
    """A stretch of usage on an invoice that changes no more."""

    subscription_id: UUID
    starts: datetime
    ends: datetime
    finalized_at: datetime

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies in it."""
        return self.starts <= at < self.ends
