"""Units of a window, computed by the database in one statement for each aggregation (metering §5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import Row, TextClause, text

from tallymark.db.engine import Tx
from tallymark.domain.periods import Period
from tallymark.domain.rating import Usage
from tallymark.domain.rating.model import NOTHING, Needs
from tallymark.domain.usage import round_units

ZERO = Fraction(0)
HISTORY = ("sum_agg", "unique_count_agg")
"""Aggregations that, when recurring, read everything up to the window's end (metering §5.1)."""

BEGINNING = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageQuery:
    """Which events to aggregate, and how."""

    external_subscription_id: str
    code: str
    aggregation_type: str
    field_name: str | None
    window: Period
    is_recurring: bool = False
    rounding_function: str | None = None
    rounding_precision: int | None = None
    needs: Needs = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """Usage ready to be priced, and its units before the metric rounded them."""

    usage: Usage
    units_before_rounding: Fraction


_IN_WINDOW = "e.stream_id = :stream_id AND e.timestamp >= :start AND e.timestamp < :end"
_IS_NUMBER = r"e.properties ->> :field ~ '^-?[0-9]+(\.[0-9]+)?$'"

_COUNT = f"SELECT count(*) AS units, count(*) AS events_count, 0 AS amount FROM events e WHERE {_IN_WINDOW}"
_NUMBERS = f"""
    SELECT (e.properties ->> :field)::numeric AS value, e.timestamp, e.created_at, e.id, e.precise_total_amount_cents
    FROM events e WHERE {_IN_WINDOW} AND {_IS_NUMBER}
"""
_SUM = f"""
    SELECT coalesce(sum(value), 0) AS units, count(*) AS events_count,
           coalesce(sum(precise_total_amount_cents), 0) AS amount
    FROM ({_NUMBERS}) n
"""
_MAX = f"SELECT coalesce(max(value), 0) AS units, count(*) AS events_count, 0 AS amount FROM ({_NUMBERS}) n"
_LATEST = f"""
    SELECT greatest(coalesce((array_agg(value ORDER BY timestamp DESC, created_at DESC, id DESC))[1], 0), 0) AS units,
           count(*) AS events_count, 0 AS amount
    FROM ({_NUMBERS}) n
"""
# A value counts while its last operation adds it; what is no "add" removes (§5.3.1).
_UNIQUE = f"""
    SELECT count(*) FILTER (WHERE adds) AS units, count(*) FILTER (WHERE adds) AS events_count, 0 AS amount
    FROM (
        SELECT DISTINCT ON (e.properties ->> :field)
               coalesce(e.properties ->> 'operation_type', 'add') = 'add' AS adds
        FROM events e
        WHERE {_IN_WINDOW} AND btrim(coalesce(e.properties ->> :field, '')) <> ''
        ORDER BY e.properties ->> :field, e.timestamp DESC, e.created_at DESC, e.id DESC
    ) last
"""
_STATEMENTS: dict[str, TextClause] = {
    "count_agg": text(_COUNT),
    "sum_agg": text(_SUM),
    "max_agg": text(_MAX),
    "latest_agg": text(_LATEST),
    "unique_count_agg": text(_UNIQUE),
}
_VALUES = text(f"SELECT value FROM ({_NUMBERS}) n ORDER BY timestamp, created_at, id LIMIT :most")
_FIND_STREAM = text(
    "SELECT id FROM event_streams"
    " WHERE organization_id = :organization AND external_subscription_id = :subscription AND code = :code"
)

NO_USAGE = Aggregate(usage=Usage(units=ZERO, events_count=0), units_before_rounding=ZERO)


async def aggregate(tx: Tx, query: UsageQuery) -> Aggregate:
    """Aggregate the events of a window; a subscription that never sent the code has no usage."""
    stream_id = (
        await tx.execute(
            _FIND_STREAM,
            {
                "organization": tx.organization_id,
                "subscription": query.external_subscription_id,
                "code": query.code,
            },
        )
    ).scalar_one_or_none()
    if stream_id is None:
        return NO_USAGE
    scope = _scope(query, stream_id)
    row = (await tx.execute(_STATEMENTS[query.aggregation_type], scope)).one()
    units = Fraction(row.units)
    rounded = round_units(units, query.rounding_function, query.rounding_precision)
    usage = Usage(
        units=rounded,
        events_count=row.events_count,
        running_totals=await _running_totals(tx, query, scope, rounded),
        event_values=await _event_values(tx, query, scope, row),
        precise_total_amount_cents=Fraction(row.amount),
    )
    return Aggregate(usage=usage, units_before_rounding=units)


def _scope(query: UsageQuery, stream_id: int) -> dict[str, Any]:
    reads_history = query.is_recurring and query.aggregation_type in HISTORY
    scope: dict[str, Any] = {
        "stream_id": stream_id,
        "start": BEGINNING if reads_history else query.window.start,
        "end": query.window.end,
    }
    if query.aggregation_type != "count_agg":
        scope["field"] = query.field_name
    return scope


async def _running_totals(
    tx: Tx, query: UsageQuery, scope: dict[str, Any], units: Fraction
) -> Sequence[Fraction | int]:
    """Cumulated values for the price's free units (metering §5.6); of counts they are 1, 2, … units."""
    if not query.needs.running_totals:
        return ()
    if query.aggregation_type in ("count_agg", "unique_count_agg"):
        return range(1, int(units) + 1)
    if query.aggregation_type != "sum_agg":
        return ()
    totals: list[Fraction] = []
    total = ZERO
    for value in await _values(tx, scope, query.needs.free_events or None):
        total += Fraction(value)
        totals.append(total)
        if not query.needs.free_events and total > query.needs.free_total:
            break
    return tuple(totals)


async def _event_values(
    tx: Tx, query: UsageQuery, scope: dict[str, Any], row: Row[Any]
) -> Sequence[Fraction]:
    """Each event's value, in the order of time, for prices that bound an event's amount (metering §5.6)."""
    if not query.needs.event_values:
        return ()
    if query.aggregation_type in ("count_agg", "unique_count_agg"):
        return (Fraction(1),) * int(row.events_count)
    in_window = {**scope, "start": query.window.start}
    values = [Fraction(value) for value in await _values(tx, in_window, None)]
    return _only_greatest(values) if query.aggregation_type == "max_agg" else values


def _only_greatest(values: list[Fraction]) -> list[Fraction]:
    """The maximum where it is first reached, nothing elsewhere."""
    if not values:
        return []
    first = values.index(max(values))
    return [value if index == first else ZERO for index, value in enumerate(values)]


async def _values(tx: Tx, scope: dict[str, Any], most: int | None) -> list[Decimal]:
    return list((await tx.execute(_VALUES, {**scope, "most": most})).scalars())
