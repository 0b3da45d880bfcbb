"""How events look on the wire. The fast lane has its own encoder; these shapes also document it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from tallymark.api.pagination import Meta
from tallymark.api.wire import DecimalText, Instant, InstantMs
from tallymark.rooms.events.model import Event


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


class EventOutput(BaseModel):
    lago_id: UUID
    transaction_id: str
    lago_customer_id: UUID | None
    code: str
    timestamp: InstantMs
    precise_total_amount_cents: DecimalText | None
    properties: dict[str, Any]
    lago_subscription_id: UUID | None
    external_subscription_id: str | None
    created_at: Instant

    @classmethod
    def of(cls, event: Event) -> EventOutput:
        """Show an event."""
        return cls(
            lago_id=event.id,
            transaction_id=event.transaction_id,
            lago_customer_id=None,
            code=event.code,
            timestamp=event.timestamp,
            precise_total_amount_cents=event.precise_total_amount_cents,
            properties=dict(event.properties),
            lago_subscription_id=None,
            external_subscription_id=event.external_subscription_id or None,
            created_at=event.created_at,
        )


class EventResponse(BaseModel):
    event: EventOutput


class EventsBatchResponse(BaseModel):
    events: list[EventOutput]


class EventsResponse(BaseModel):
    events: list[EventOutput]
    meta: Meta
