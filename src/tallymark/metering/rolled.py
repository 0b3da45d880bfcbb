"""The same units read from roll-ups: whole hours from their parts, the hours that the window cuts from their events.

One statement reads both, so that they are of one instant. See docs/decisions/0018.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import TextClause, text

from tallymark.domain.periods import TICK
from tallymark.domain.usage import WHOLE, Partition
from tallymark.metering.rollups import Rollup
from tallymark.metering.statements import VALUES, Names, only, place, usable

HOUR = timedelta(hours=1)

# What parts have of what the aggregation adds up, and what an event alone comes to.
_MEASURES: Mapping[str, tuple[str, str]] = {
    "count_agg": ("e.events", "1 AS events"),
    "sum_agg": (
        "e.events, e.total, e.amount",
        "1 AS events, {value} AS total, e.precise_total_amount_cents AS amount",
    ),
    "max_agg": ("e.events, e.greatest", "1 AS events, {value} AS greatest"),
    "latest_agg": ("e.events, e.last", "1 AS events, {last} AS last"),
    "unique_count_agg": ("e.value, e.last", "{value} AS value, {last} AS last"),
    "weighted_sum_agg": (
        "e.events, e.total, e.moment, e.hour AS at, e.hour + interval '1 hour' <= :from AS is_before",
        "1 AS events, {value} AS total, 0 AS moment, e.timestamp AS at, e.timestamp < :from AS is_before",
    ),
}
_LAST = (
    "ARRAY[to_char(e.timestamp AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') COLLATE \"C\","
    " to_char(coalesce(e.occurred_at, e.timestamp) AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS'),"
    " to_char(e.created_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS'), CAST(e.id AS text),"
    " e.properties ->> :field, e.properties ->> 'operation_type']"
)
_NOT_WEIGHTED = (
    "CAST(NULL AS numeric) AS carried, CAST(NULL AS numeric) AS level, CAST(NULL AS numeric) AS area"
)
_TOTALS: Mapping[str, str] = {
    "count_agg": f"sum(events) AS units, sum(events) AS events_count, 0 AS amount, {_NOT_WEIGHTED}",
    "sum_agg": f"coalesce(sum(total), 0) AS units, sum(events) AS events_count, coalesce(sum(amount), 0) AS amount, {_NOT_WEIGHTED}",
    "max_agg": f"coalesce(max(greatest), 0) AS units, sum(events) AS events_count, 0 AS amount, {_NOT_WEIGHTED}",
    "latest_agg": f"greatest(CAST((max(last))[5] AS numeric), 0) AS units, sum(events) AS events_count, 0 AS amount, {_NOT_WEIGHTED}",
    "unique_count_agg": f"count(*) FILTER (WHERE adds) AS units, count(*) FILTER (WHERE adds) AS events_count, 0 AS amount, {_NOT_WEIGHTED}",
    "weighted_sum_agg": "CAST(NULL AS numeric) AS units,"
    " coalesce(sum(events) FILTER (WHERE NOT is_before), 0) AS events_count, CAST(NULL AS numeric) AS amount,"
    " coalesce(sum(total) FILTER (WHERE is_before), 0) AS carried, coalesce(sum(total), 0) AS level,"
    " coalesce(sum(total * extract(epoch FROM :until - at) - moment) FILTER (WHERE NOT is_before), 0) AS area",
}
# What the parts of one place come to, where that tells more of them apart than the question does: it then looks at the place's
# properties once, and not at those of each hour.
_OF_PLACES: Mapping[str, str] = {
    "count_agg": "sum(e.events) AS events",
    "sum_agg": "sum(e.events) AS events, sum(e.total) AS total, sum(e.amount) AS amount",
    "max_agg": "sum(e.events) AS events, max(e.greatest) AS greatest",
    "latest_agg": "sum(e.events) AS events, max(e.last) AS last",
}
# Hours of which events on the other side of a cut are there: only these are read event by event.
_TORN = """
    , torn AS MATERIALIZED (
        SELECT DISTINCT w.stream_id, c.hour
        FROM wanted w
        CROSS JOIN unnest(CAST(:cut_hours AS timestamptz[]), CAST(:beyond_from AS timestamptz[]),
                          CAST(:beyond_to AS timestamptz[])) AS c(hour, beyond_from, beyond_to)
        WHERE EXISTS (
            SELECT FROM events x
            WHERE x.stream_id = w.stream_id AND x.timestamp >= c.beyond_from AND x.timestamp < c.beyond_to
              AND x.timestamp >= :beyond_first AND x.timestamp < :beyond_last)
    )
"""

_WHOLE_HOURS = "FROM wanted w JOIN rollup_parts e ON e.rollup_id = w.rollup_id AND e.hour >= :first_hour AND e.hour < :end_hour"
_NOT_TORN = "NOT EXISTS (SELECT FROM torn t WHERE (t.stream_id, t.hour) = (w.stream_id, e.hour))"
_PARAMETER = re.compile(r"(?<![:\w]):(\w+)")

READABLE = frozenset(_MEASURES)
"""The aggregations that are rolled up."""


AT_ONCE = 16
"""As many questions are one statement; of more, whose number is anyone's, each is a statement of its own."""


class Kind(NamedTuple):
    """An aggregation, how it tells events apart, and whether its window cuts any hours."""

    aggregation_type: str
    partition: Partition
    is_cut: bool


def totals(asked: Sequence[tuple[str, Partition, Mapping[str, Any]]]) -> tuple[TextClause, dict[str, Any]]:
    """As `statements.totals` of streams with the given roll-ups, for several questions, each with its own parameters.

    Those of `reach` are among them. (question, stream_id, bucket, grp, units, events_count, amount), the question by its place among those asked; a weighted sum
    has (…, events_count, carried, level, area).
    """
    statement, bound = _union(
        tuple(
            Kind(aggregation_type, partition, bool(parameters["cut_hours"]))
            for aggregation_type, partition, parameters in asked
        )
    )
    given = {
        f"q{number}_{name}": value
        for number, (_, _, parameters) in enumerate(asked)
        for name, value in parameters.items()
    }
    return statement, {**bound, **given}


@lru_cache(maxsize=1024)
def _union(kinds: tuple[Kind, ...]) -> tuple[TextClause, Mapping[str, Any]]:
    bound: dict[str, Any] = {}
    questions = []
    for number, kind in enumerate(kinds):
        sql, of_one = _totals(kind)
        bound |= {f"q{number}_{name}": value for name, value in of_one}
        of_question = _PARAMETER.sub(rf":q{number}_\1", sql)
        questions.append(f"SELECT {number} AS question, of_one.* FROM ({of_question}) of_one")
    return text(" UNION ALL ".join(questions)), bound


@lru_cache(maxsize=1024)
def _totals(kind: Kind) -> tuple[str, tuple[tuple[str, Any], ...]]:
    aggregation_type, partition, is_cut = kind
    parameters: dict[str, Any] = {}
    names = Names(parameters)
    where = place(partition, names)
    chosen = only(partition, names)
    of_parts, of_events = _MEASURES[aggregation_type]
    value = VALUES.get(aggregation_type, "CAST(e.properties ->> :field AS numeric)")
    of_events = of_events.format(value=value, last=_LAST)
    is_whole = [_NOT_TORN] if is_cut else []
    parts = f"SELECT w.stream_id, {where}, {of_parts} {_WHOLE_HOURS} {_where([*is_whole, *chosen])}"
    if aggregation_type in _OF_PLACES and partition != WHOLE:
        parts = f"""
            SELECT e.stream_id, {where}, {of_parts} FROM (
                SELECT w.stream_id, (array_agg(e.properties))[1] AS properties, {_OF_PLACES[aggregation_type]}
                {_WHOLE_HOURS} {_where(is_whole)} GROUP BY w.stream_id, e.place
            ) e {_where(chosen)}
        """
    source = parts
    if is_cut:
        # The window's own bounds say which months of events need not even be opened.
        source += f"""
            UNION ALL
            SELECT e.stream_id, {where}, {of_events}
            FROM torn t JOIN events e ON e.stream_id = t.stream_id AND e.timestamp >= t.hour AND e.timestamp < t.hour + :width
            {_where(["e.timestamp >= :start", "e.timestamp < :end", *usable(aggregation_type), *chosen])}
        """
    if aggregation_type == "unique_count_agg":
        source = (
            "SELECT stream_id, bucket, grp, coalesce((max(last))[6], 'add') = 'add' AS adds"
            f" FROM ({source}) v GROUP BY stream_id, bucket, grp, value"
        )
    # Of events that were voided, parts of nothing may be left.
    left = "" if aggregation_type == "unique_count_agg" else " HAVING sum(events) > 0"
    return (
        f"""
        WITH wanted AS MATERIALIZED (
            SELECT * FROM unnest(CAST(:rolled AS bigint[]), CAST(:rollups AS bigint[])) AS w(stream_id, rollup_id)
        ) {_TORN if is_cut else ""}
        SELECT stream_id, bucket, grp, {_TOTALS[aggregation_type]} FROM ({source}) e GROUP BY stream_id, bucket, grp{left}
        """,
        tuple(parameters.items()),
    )


def _where(conditions: Sequence[str]) -> str:
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def reach(
    rollup: Rollup, start: datetime, end: datetime, *, middle: datetime | None = None
) -> dict[str, Any]:
    """The parts of a window, and which of them it cuts: `start` and `end` bound it, `middle` parts what is carried into it."""
    if rollup.window is not None:
        cuts = [(start, end, rollup.window.end)]
        first, beyond, width = start, start + TICK, rollup.window.end - start
    else:
        first, last, width = hour_of(start), hour_of(end), HOUR
        beyond = end if last == end else last + HOUR
        cuts = [(first, first, start), (last, end, beyond)]
        if middle is not None:
            cuts.append((hour_of(middle), hour_of(middle), middle))
    torn = [cut for cut in cuts if cut[1] < cut[2]]
    return {
        "first_hour": first,
        "end_hour": beyond,
        "width": width,
        "cut_hours": [hour for hour, _, _ in torn],
        "beyond_from": [at for _, at, _ in torn],
        "beyond_to": [at for _, _, at in torn],
        "beyond_first": min((at for _, at, _ in torn), default=None),
        "beyond_last": max((at for _, _, at in torn), default=None),
    }


def hour_of(instant: datetime) -> datetime:
    """The full hour, of UTC, in which an instant lies."""
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
