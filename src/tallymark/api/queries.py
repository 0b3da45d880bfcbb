"""Query parameters that a door reads by itself, declared for the API's description."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from starlette.datastructures import QueryParams

from tallymark.api.wire import NO_RECORD
from tallymark.domain.errors import Invalid
from tallymark.domain.periods import TICK, parse_instant


def reads(*names: str) -> dict[str, Any]:
    """What a route passes as `openapi_extra`: optional parameters by name; those that end in `[]` are lists.

    >>> reads("status[]")["parameters"][0]["schema"]["type"]
    'array'
    """
    return {"parameters": [_parameter(name) for name in names]}


def _parameter(name: str) -> dict[str, Any]:
    if name.endswith("[]"):
        schema: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
    elif name in ("amount_from", "amount_to"):
        schema = {"type": "integer"}
    elif name.startswith(("has_", "is_")) or name in FLAGS:
        schema = {"type": "boolean"}
    else:
        schema = {"type": "string"}
    return {"name": name, "in": "query", "required": False, "schema": schema}


FLAGS = (
    "payment_overdue", "payment_dispute_lost", "self_billed", "partially_paid", "full_usage", "skip_grouping",
)  # fmt: skip
"""Parameters that are booleans."""

BOOLEANS = frozenset({"true", "false", "1", "0", "t", "f", "yes", "no", "y", "n", "on", "off"})
"""What a parameter that is a boolean may be, in either case."""

LARGEST = 2**63 - 1
"""No stored amount is larger."""


def read_cents(text: str | None, field: str) -> int | None:
    """An amount that a filter compares with, in minor units; one beyond all amounts is the outermost one.

    Raises `Invalid` for what is no whole number.

    >>> read_cents("1200", "amount_from"), read_cents("-1" + "0" * 30, "amount_from"), read_cents("", "amount_to")
    (1200, -9223372036854775807, None)
    """
    if not text:
        return None
    try:
        return min(max(int(text.encode("ascii")), -LARGEST), LARGEST)
    except ValueError:
        raise Invalid({field: ["value_is_invalid"]}) from None


def read_list(query: QueryParams, name: str, allowed: Collection[str] | None = None) -> tuple[str, ...]:
    """The values of a list, `name[]` or one `name`; empty ones are none. Raises `Invalid` for one that is not allowed.

    >>> read_list(QueryParams("a[]=x&a[]=y"), "a"), read_list(QueryParams("a=x"), "a"), read_list(QueryParams("a[]="), "a")
    (('x', 'y'), ('x',), ())
    """
    texts = query.getlist(f"{name}[]") or [query.get(name, "")]
    found = tuple(text for text in texts if text)
    if allowed is not None and not set(found) <= set(allowed):
        raise Invalid({name: ["value_is_invalid"]})
    return found


def read_ids(query: QueryParams, name: str) -> tuple[UUID, ...]:
    """The ids of a list; a text that is no id is that of no record."""
    return tuple(map(_read_id, read_list(query, name)))


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return NO_RECORD


SECOND, MILLISECOND = timedelta(seconds=1), timedelta(milliseconds=1)
"""In what steps the wire shows times, and the timestamps of events."""


def through(instant: datetime, *, step: timedelta = SECOND) -> datetime:
    """The last instant that the wire shows as this one: an upper bound takes in whatever is shown as the bound itself.

    >>> through(datetime(2026, 1, 5, 12, tzinfo=UTC)).isoformat()
    '2026-01-05T12:00:00.999999+00:00'
    """
    since_step = instant.microsecond * TICK % step
    return instant - since_step + (step - TICK)


def read_instant(text: str | None, field: str, *, of_day: time) -> datetime | None:
    """An instant that a filter compares with; of a date, `of_day` in UTC. Raises `Invalid` for what is neither.

    With `time.max` it is an upper bound, which takes in all of the second that it names.

    >>> read_instant("2026-01-05", "to_date", of_day=time.max).isoformat()
    '2026-01-05T23:59:59.999999+00:00'
    """
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), of_day, UTC)
    except ValueError:
        pass
    try:
        instant = parse_instant(text)
        return through(instant) if of_day == time.max else instant
    except ValueError:
        raise Invalid({field: ["invalid_date"]}) from None
