"""How clocks look on the wire (test-clock.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator
from pydantic_core import PydanticCustomError

from tallymark.api.wire import Input, Instant, NotEmpty
from tallymark.rooms.billing.model import Failure
from tallymark.rooms.organizations.schemas import TestClockOutput


def _instant(value: Any) -> Any:
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        parsed = None
    if parsed is None:
        raise PydanticCustomError("value_is_invalid", "no ISO 8601 text")
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


class AdvanceInput(Input):
    to: Annotated[datetime, BeforeValidator(_instant)]


class AdvanceRequest(BaseModel):
    test_clock: Annotated[AdvanceInput, NotEmpty]


class FailureOutput(BaseModel):
    work: str
    lago_customer_id: str
    due_at: Instant
    error: str

    @classmethod
    def of(cls, failure: Failure) -> FailureOutput:
        """Show work that could not be done."""
        return cls(
            work=failure.kind,
            lago_customer_id=str(failure.owner_id),
            due_at=failure.due_at,
            error=failure.error,
        )


class AdvanceResponse(BaseModel):
    test_clock: TestClockOutput
    errors: list[FailureOutput] = []
