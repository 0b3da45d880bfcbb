"""How corrections look on the wire."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import msgspec
from pydantic import BaseModel

from tallymark.api.wire import DecimalText, Input, Instant, InstantMs, Name
from tallymark.rooms.corrections.model import Stored, Version
from tallymark.rooms.events import service as events


class CorrectionInput(Input):
    """Which of the events of a transaction id is meant, and why it is corrected."""

    external_subscription_id: Name
    reason: Name


class VoidRequest(BaseModel):
    event: CorrectionInput


class AmendmentInput(CorrectionInput):
    """What is to be otherwise, by the rules of events; what is left out stays. Properties are replaced as a whole."""

    timestamp: Any = None
    properties: Any = None
    precise_total_amount_cents: Any = None


class AmendRequest(BaseModel):
    event: AmendmentInput


class _Body(msgspec.Struct):
    event: msgspec.Raw


def read_changes(body: bytes) -> dict[str, Any]:
    """What a checked request changes, its numbers as exact as they were written. Raises `Invalid`."""
    return events.read_changes(bytes(msgspec.json.decode(body, type=_Body).event))


class CorrectedEventOutput(BaseModel):
    lago_id: UUID
    transaction_id: str
    lago_customer_id: UUID | None = None
    code: str
    timestamp: InstantMs
    precise_total_amount_cents: DecimalText | None
    properties: dict[str, Any]
    lago_subscription_id: UUID | None = None
    external_subscription_id: str | None
    created_at: Instant
    status: str
    version: int

    @classmethod
    def of(cls, event: Stored, version: int) -> CorrectedEventOutput:
        """Show an event as it is after a correction."""
        return cls(
            lago_id=event.id,
            transaction_id=event.transaction_id,
            code=event.code,
            timestamp=event.timestamp,
            precise_total_amount_cents=event.precise_total_amount_cents,
            properties=json.loads(event.properties),
            external_subscription_id=event.external_subscription_id or None,
            created_at=event.created_at,
            status=_status(is_void=event.is_void),
            version=version,
        )


class CorrectedEventResponse(BaseModel):
    event: CorrectedEventOutput


class VersionOutput(BaseModel):
    version: int
    status: str
    timestamp: InstantMs
    properties: dict[str, Any]
    precise_total_amount_cents: DecimalText | None
    reason: str | None
    lago_api_key_id: UUID | None
    user_email: str | None
    created_at: Instant

    @classmethod
    def of(cls, version: Version) -> VersionOutput:
        """Show what an event was."""
        return cls(
            version=version.version,
            status=_status(is_void=version.is_void),
            timestamp=version.timestamp,
            properties=dict(version.properties),
            precise_total_amount_cents=version.precise_total_amount_cents,
            reason=version.reason,
            lago_api_key_id=version.api_key_id,
            user_email=version.user_email,
            created_at=version.created_at,
        )


class VersionsResponse(BaseModel):
    versions: list[VersionOutput]


def _status(*, is_void: bool) -> str:
    return "voided" if is_void else "counted"
