"""How clocks look on the wire (test-clock.md)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator
from pydantic_core import PydanticCustomError

from tallymark.api.wire import Input, Instant, NotEmpty
from tallymark.domain.errors import Invalid
from tallymark.domain.periods import parse_instant_of_any_zone
from tallymark.jobs.agenda import Kind, Planned
from tallymark.rooms.billing.model import Failure
from tallymark.rooms.organizations.schemas import TestClockOutput


def _instant(value: Any) -> Any:
    try:
        parsed = parse_instant_of_any_zone(value) if isinstance(value, str) else None
    except ValueError:
        parsed = None
    if parsed is None:
        raise PydanticCustomError("value_is_invalid", "no ISO 8601 text")
    return parsed


def read_instant(text: str) -> datetime:
    """An instant of a query. Raises `Invalid`."""
    try:
        return cast(datetime, _instant(text))
    except PydanticCustomError:
        raise Invalid({"until": ["value_is_invalid"]}) from None


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


SHOWN = frozenset(
    {
        Kind.ACTIVATE_SUBSCRIPTION,
        Kind.TERMINATE_SUBSCRIPTION,
        Kind.SWITCH_PLAN,
        Kind.END_TRIAL,
        Kind.BILL_PERIOD,
        Kind.FINALIZE_INVOICE,
        Kind.EXPIRE_WALLET,
        Kind.TOP_UP_WALLET,
        Kind.EXPIRE_COUPON,
        Kind.MARK_OVERDUE,
        Kind.DUN_CUSTOMER,
        Kind.ALERT_TERMINATION,
    }
)
"""The kinds of work that somebody who moves the clock cares for; the others keep the house."""


class PlannedOutput(BaseModel):
    date: date
    work: str
    count: int

    @classmethod
    def of(cls, planned: Planned) -> PlannedOutput:
        """Show how much of a kind is planned for a day."""
        return cls(date=planned.date, work=planned.kind.name.lower(), count=planned.count)


class PlannedResponse(BaseModel):
    planned: list[PlannedOutput]
