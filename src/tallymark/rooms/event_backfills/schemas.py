"""How backfills look on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field

from tallymark.api.descriptions import TEXT, many, record, shown_as
from tallymark.api.errors import BadRequest
from tallymark.api.pagination import Meta
from tallymark.api.wire import Input, Instant, InstantInput, InstantMs, Name, NotEmpty
from tallymark.metering.storing import Row
from tallymark.rooms.event_backfills.model import Backfill, BackfillStatus, NewBackfill
from tallymark.rooms.events import service as events


class BackfillInput(Input):
    """Of which subscription and code all events from `from` to before `to` are to be replaced, and why."""

    external_subscription_id: Name
    code: Name
    from_: Annotated[InstantInput, Field(alias="from")]
    to: InstantInput
    reason: Name

    def to_value(self) -> NewBackfill:
        """What is asked for."""
        return NewBackfill(
            external_subscription_id=self.external_subscription_id,
            code=self.code,
            starts=self.from_,
            ends=self.to,
            reason=self.reason,
        )


class BackfillRequest(BaseModel):
    event_backfill: Annotated[BackfillInput, NotEmpty]


class StepInput(Input):
    """Why it is closed or reverted, where that is not the backfill's own reason."""

    reason: Name | None = None


class StepRequest(BaseModel):
    event_backfill: StepInput | None = None


_EVENT = {
    **record(
        transaction_id=TEXT,
        external_subscription_id=TEXT,
        code=TEXT,
        timestamp={"anyOf": [{"type": "number"}, {"type": "string"}]},
        properties={"type": "object", "additionalProperties": True},
        precise_total_amount_cents={"anyOf": [{"type": "number"}, {"type": "string"}]},
    ),
    "description": "By the rules of events; subscription and code are the backfill's where they are left out.",
}


class AddedEventsRequest(BaseModel):
    """What is in the list is read digit by digit, as events are."""

    events: Annotated[Any, shown_as({**many(_EVENT), "maxItems": 1000})] = None


class _Body(msgspec.Struct):
    events: msgspec.Raw = msgspec.Raw(b"")


def read_events(body: bytes) -> list[events.EventInput]:
    """The events of a request, their numbers as exact as they were written. Raises `BadRequest`, `Invalid`."""
    try:
        data = bytes(msgspec.json.decode(body or b"{}", type=_Body).events)
    except msgspec.ValidationError:
        raise BadRequest.missing_root("events") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadRequest from None
    return events.decode_list(data) if data not in (b"", b"null") else []


class ChargeChangeOutput(BaseModel):
    """What one charge came to in a period before and after."""

    lago_charge_id: UUID
    units_before: str
    units_after: str
    units_change: str
    amount_before_cents: int
    amount_after_cents: int
    amount_change_cents: int


class PeriodChangeOutput(BaseModel):
    """What closing changed in a period of a subscription; `to_datetime` is the first instant after it."""

    lago_subscription_id: UUID
    from_datetime: str
    to_datetime: str
    amount_currency: str
    amount_change_cents: int
    charges: list[ChargeChangeOutput]


class BackfillOutput(BaseModel):
    lago_id: UUID
    external_subscription_id: str
    code: str
    from_datetime: Annotated[Instant, Field(serialization_alias="from")]
    to_datetime: Annotated[Instant, Field(serialization_alias="to")]
    reason: str
    status: BackfillStatus
    lago_api_key_id: UUID | None
    user_email: str | None
    added_events_count: int
    replaced_events_count: int
    periods: list[PeriodChangeOutput]
    created_at: Instant
    closed_at: Instant | None
    reverted_at: Instant | None

    @classmethod
    def of(cls, backfill: Backfill) -> BackfillOutput:
        """Show a backfill."""
        return cls(
            lago_id=backfill.id,
            external_subscription_id=backfill.external_subscription_id,
            code=backfill.code,
            from_datetime=backfill.starts,
            to_datetime=backfill.ends,
            reason=backfill.reason,
            status=backfill.status,
            lago_api_key_id=backfill.api_key_id,
            user_email=backfill.user_email,
            added_events_count=backfill.added_events_count,
            replaced_events_count=backfill.replaced_events_count,
            periods=[PeriodChangeOutput(**period) for period in backfill.periods or ()],
            created_at=backfill.created_at,
            closed_at=backfill.closed_at,
            reverted_at=backfill.reverted_at,
        )


class BackfillResponse(BaseModel):
    event_backfill: BackfillOutput


class BackfillsResponse(BaseModel):
    event_backfills: list[BackfillOutput]
    meta: Meta


class AddedEventOutput(BaseModel):
    """An event that waits for its backfill to be closed."""

    lago_id: UUID
    transaction_id: str
    external_subscription_id: str
    code: str
    timestamp: InstantMs
    properties: dict[str, Any]
    precise_total_amount_cents: str | None

    @classmethod
    def of(cls, row: Row) -> AddedEventOutput:
        """Show an event as it was added."""
        return cls(
            lago_id=row.id,
            transaction_id=row.transaction_id,
            external_subscription_id=row.external_subscription_id,
            code=row.code,
            timestamp=row.timestamp,
            properties=msgspec.json.decode(row.properties),
            precise_total_amount_cents=row.precise_total_amount_cents,
        )


class AddedEventsResponse(BaseModel):
    events: list[AddedEventOutput]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> AddedEventsResponse:
        """Show events in the order in which they were sent."""
        return cls(events=[AddedEventOutput.of(row) for row in rows])
