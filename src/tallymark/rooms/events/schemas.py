"""How events look on the wire. The fast lane has its own encoder; these shapes also document it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from tallymark.api.descriptions import record, shown_as
from tallymark.api.pagination import Meta
from tallymark.api.queries import MILLISECOND, through
from tallymark.api.wire import (
    DecimalText,
    Described,
    Input,
    Instant,
    InstantInput,
    InstantMs,
    Text,
    query_flag,
)
from tallymark.domain.errors import Invalid
from tallymark.domain.periods import parse_instant
from tallymark.rooms.events.model import (
    FIRST_INSTANT,
    LAST_INSTANT,
    Event,
    Reach,
    Replayed,
    UnmatchedCount,
    UnmatchedReason,
)


class EventBody(BaseModel):
    """One record of usage."""

    transaction_id: str = Field(description="Unique for the subscription; makes re-sending harmless.")
    external_subscription_id: str | None = None
    code: str = Field(description="The code of a billable metric.")
    timestamp: int | float | str | None = Field(None, description="Unix seconds; now when left out.")
    properties: dict[str, Any] | None = None
    precise_total_amount_cents: str | Decimal | None = None


class EventRequest(BaseModel):
    event: EventBody


class EventsRequest(BaseModel):
    events: list[EventBody] = Field(max_length=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilters:
    """Which events a list shows (metering §1.4); `check` before reading the instants."""

    code: str | None = None
    external_subscription_id: str | None = None
    timestamp_from: Annotated[str | None, Query(description="ISO 8601, included.")] = None
    timestamp_to: Annotated[str | None, Query(description="ISO 8601, included.")] = None
    timestamp_from_started_at: Annotated[str | None, Query(description="Since the subscription began.")] = (
        None
    )

    @property
    def is_from_start(self) -> bool:
        """Whether the subscription's start is the lower bound."""
        return bool(query_flag((self.timestamp_from_started_at or "").lower()))

    @property
    def lower(self) -> datetime | None:
        """The first instant."""
        return _read_instant("timestamp_from", self.timestamp_from)

    @property
    def upper(self) -> datetime | None:
        """The last instant: whatever is shown as the bound is taken in."""
        found = _read_instant("timestamp_to", self.timestamp_to)
        return None if found is None else through(found, step=MILLISECOND)

    def check(self) -> None:
        """Raise `Invalid` for what can't be read, or does not go together."""
        flag = self.timestamp_from_started_at
        if flag is not None and flag.lower() not in ("true", "false"):
            raise Invalid({"timestamp_from_started_at": ["must be one of: true, false"]})
        if self.is_from_start and self.timestamp_from is not None:
            raise Invalid({"timestamp_from": ["cannot be used with timestamp_from_started_at"]})
        if self.is_from_start and not self.external_subscription_id:
            raise Invalid({"external_subscription_id": ["required with timestamp_from_started_at"]})
        _ = self.lower, self.upper


InFilters = Annotated[EventFilters, Depends()]


def _read_instant(field: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError:
        raise Invalid({field: ["invalid_date"]}) from None


PROPERTIES = {
    **record(
        operation_type={"type": "string", "enum": ["add", "remove"], "description": "Of unique counts."}
    ),
    "additionalProperties": True,
}
"""Whatever the metrics read; one name has a meaning of its own."""


class BilledInOutput(BaseModel):
    """The period in which an event counts that came too late for its own (beyond.md §3)."""

    lago_subscription_id: UUID
    from_datetime: Instant

    @classmethod
    def of(cls, event: Event) -> BilledInOutput | None:
        """Show where an event counts, None for its own period."""
        if event.subscription_id is None or event.billed_from is None:
            return None
        return cls(lago_subscription_id=event.subscription_id, from_datetime=event.billed_from)


class EventOutput(Described):
    # Of an event in its own period there is nothing to say that the reference would not.
    left_out = ("billed_in",)

    lago_id: UUID
    transaction_id: str
    lago_customer_id: UUID | None
    code: str
    timestamp: InstantMs
    precise_total_amount_cents: DecimalText | None
    properties: Annotated[dict[str, Any], shown_as(PROPERTIES)]
    lago_subscription_id: UUID | None
    external_subscription_id: str | None
    created_at: Instant
    billed_in: BilledInOutput | None = None

    @classmethod
    def of(cls, event: Event) -> EventOutput:
        """Show an event."""
        return cls(
            lago_id=event.id,
            transaction_id=event.transaction_id,
            lago_customer_id=None,
            code=event.code,
            timestamp=event.happened_at,
            precise_total_amount_cents=event.precise_total_amount_cents,
            properties=dict(event.properties),
            lago_subscription_id=None,
            external_subscription_id=event.external_subscription_id or None,
            created_at=event.created_at,
            billed_in=BilledInOutput.of(event),
        )


class EventResponse(BaseModel):
    event: EventOutput


class EventsBatchResponse(BaseModel):
    events: list[EventOutput]


class EventsResponse(BaseModel):
    events: list[EventOutput]
    meta: Meta


class UnmatchedEventOutput(EventOutput):
    unmatched_reason: UnmatchedReason

    @classmethod
    def because(cls, event: Event, reason: UnmatchedReason) -> UnmatchedEventOutput:
        """Show an event that counts nowhere."""
        return cls(**EventOutput.of(event).__dict__, unmatched_reason=reason)


class UnmatchedEventsResponse(BaseModel):
    events: list[UnmatchedEventOutput]
    meta: Meta


class UnmatchedCountOutput(BaseModel):
    unmatched_reason: UnmatchedReason
    code: str
    external_subscription_id: str | None
    events_count: int

    @classmethod
    def of(cls, count: UnmatchedCount) -> UnmatchedCountOutput:
        """Show a line of the summary."""
        return cls(
            unmatched_reason=count.reason,
            code=count.code,
            external_subscription_id=count.external_subscription_id or None,
            events_count=count.events_count,
        )


class UnmatchedSummaryResponse(BaseModel):
    unmatched_summary: list[UnmatchedCountOutput]
    meta: Meta


class ReplayInput(Input):
    code: Text | None = None
    external_subscription_id: Text | None = None
    from_: Annotated[InstantInput | None, Field(alias="from")] = None
    to: InstantInput | None = None

    @property
    def reach(self) -> Reach:
        """Which events are meant."""
        return Reach(
            code=self.code,
            external_subscription_id=self.external_subscription_id,
            earliest=self.from_ or FIRST_INSTANT,
            latest=self.to or LAST_INSTANT,
        )


class ReplayRequest(BaseModel):
    """All of it may be left out: then every event is looked at."""

    replay: ReplayInput


class ReplayOutput(BaseModel):
    examined: int
    matched: int

    @classmethod
    def of(cls, replayed: Replayed) -> ReplayOutput:
        """Show what came of it."""
        return cls(examined=replayed.examined, matched=replayed.matched)


class ReplayResponse(BaseModel):
    replay: ReplayOutput
