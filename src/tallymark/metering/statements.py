"""The SQL of each aggregation: one statement for all streams, buckets and groups of a window (metering §5-§7)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, text

from tallymark.domain.usage import WHOLE, Bucket, Partition
from tallymark.metering.folding import NUMBERS

_NUMBERS = f"e.properties ->> :field ~ {NUMBERS}"
_PRESENT = "btrim(coalesce(e.properties ->> :field, '')) <> ''"
# What came too late counts from the start of a later period: before all else of that instant, by its own time.
_IN_TIME = "timestamp, happened, created_at, id"
_LATEST_FIRST = "timestamp DESC, happened DESC, created_at DESC, id DESC"
_ONLY = "(CAST(:streams AS bigint[]))[1]"

# What a correction put where it is: it was dated otherwise, or a backfill brought it, or had it again.
_PUT = (
    "(EXISTS (SELECT FROM event_versions v WHERE v.event_id = e.id"
    " AND (v.timestamp <> coalesce(e.occurred_at, e.timestamp) OR (v.version = 1 AND v.reason IS NOT NULL)))"
    # By its stream, for which backfills are indexed.
    " OR EXISTS (SELECT FROM event_backfills b JOIN backfilled_events f ON f.backfill_id = b.id AND f.event_id = e.id"
    " WHERE b.stream_id = abs(e.stream_id) AND b.status = 'closed' AND f.is_added))"
)


def billed(*, came: str = "e.created_at", at: str = ":billed_at") -> str:
    """Whether a bill of an instant has an event `e`, as SQL; `came` is when it came, or was priced.

    What came after the bill is not on it, but for what a correction put there and is not noted as late. An event of the very
    instant came before, unless it is.
    """
    return f"({came} < {at} OR NOT EXISTS (SELECT FROM late_events l WHERE l.event_id = e.id) AND ({came} = {at} OR {_PUT}))"


VALUES = {"count_agg": "1", "unique_count_agg": "(e.properties ->> :field)"}
_NUMBER = "(e.properties ->> :field)::numeric"

_AGGREGATES = {
    "count_agg": "count(*) AS units, count(*) AS events_count, count(*) AS events_read, 0 AS amount",
    "sum_agg": "coalesce(sum(value), 0) AS units, count(*) AS events_count, count(*) AS events_read,"
    " coalesce(sum(precise_total_amount_cents), 0) AS amount",
    "max_agg": "coalesce(max(value), 0) AS units, count(*) AS events_count, count(*) AS events_read, 0 AS amount",
    "latest_agg": f"greatest(coalesce((array_agg(value ORDER BY {_LATEST_FIRST}))[1], 0), 0)"
    " AS units, count(*) AS events_count, count(*) AS events_read, 0 AS amount",
    # Each value counts from its instant to the end, each level before it as well: the integral is a sum.
    "weighted_sum_agg": "coalesce(sum(value) FILTER (WHERE timestamp < :from), 0) AS carried,"
    " coalesce(sum(value), 0) AS level,"
    " coalesce(sum(value * extract(epoch FROM :until - timestamp)) FILTER (WHERE timestamp >= :from), 0) AS area,"
    " count(*) FILTER (WHERE timestamp >= :from) AS events_count, count(*) AS events_read",
    "unique_count_agg": "count(*) FILTER (WHERE adds) AS units, count(*) FILTER (WHERE adds) AS events_count,"
    " sum(events) AS events_read, 0 AS amount",
}


def totals(
    aggregation_type: str, partition: Partition, *, of_one: bool = False, as_billed: bool = False
) -> tuple[TextClause, dict[str, Any]]:
    """Units and events by stream, bucket and group. A count, say: (stream_id, bucket, grp, units, events_count, amount).

    A value of a unique count counts while its last operation adds it; what is no "add" removes (§5.3.1). With `as_billed` it is
    what a bill of the instant `:billed_at` has of them.
    """
    statement, parameters = _totals(aggregation_type, partition, of_one, as_billed)
    return statement, dict(parameters)


@lru_cache(maxsize=1024)
def _totals(
    aggregation_type: str, partition: Partition, of_one: bool, as_billed: bool
) -> tuple[TextClause, tuple[tuple[str, Any], ...]]:
    source, parameters = _source(aggregation_type, partition, of_one=of_one, as_billed=as_billed)
    if aggregation_type == "unique_count_agg":
        last = f"(array_agg(operation ORDER BY {_LATEST_FIRST}))[1]"
        source = (
            f"SELECT stream_id, bucket, grp, coalesce({last}, 'add') = 'add' AS adds, count(*) AS events"
            f" FROM ({source}) e GROUP BY stream_id, bucket, grp, value"
        )
    if of_one and partition == WHOLE:
        # Nothing to tell apart: a plain aggregate, which the database may share out among its processes.
        return text(
            f"SELECT {_ONLY} AS stream_id, 0 AS bucket, CAST('[]' AS jsonb) AS grp, {_AGGREGATES[aggregation_type]}"
            f" FROM ({source}) e HAVING count(*) > 0"
        ), tuple(parameters.items())
    return text(
        f"SELECT stream_id, bucket, grp, {_AGGREGATES[aggregation_type]} FROM ({source}) e"
        " GROUP BY stream_id, bucket, grp"
    ), tuple(parameters.items())


def rows(
    aggregation_type: str, partition: Partition, *, of_one: bool = False, as_billed: bool = False
) -> tuple[TextClause, dict[str, Any]]:
    """Every event in the order of time: (stream_id, bucket, grp, value, timestamp, operation)."""
    source, parameters = _source(aggregation_type, partition, of_one=of_one, as_billed=as_billed)
    return text(
        f"SELECT stream_id, bucket, grp, value, timestamp, operation FROM ({source}) e ORDER BY {_IN_TIME}"
    ), parameters


def first_values(
    aggregation_type: str, partition: Partition, *, of_one: bool = False, as_billed: bool = False
) -> tuple[TextClause, dict[str, Any]]:
    """The first events of each stream, bucket and group, at least `:most` of them and up to where the total exceeds `:free`."""
    source, parameters = _source(aggregation_type, partition, of_one=of_one, as_billed=as_billed)
    window = f"OVER (PARTITION BY stream_id, bucket, grp ORDER BY {_IN_TIME}"
    return text(
        f"""
        SELECT stream_id, bucket, grp, value FROM (
            SELECT *, max(total) {window} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS highest
            FROM (SELECT *, sum(value) {window}) AS total, row_number() {window}) AS number FROM ({source}) e) t
        ) h
        WHERE number <= :most OR coalesce(highest, 0) <= :free
        ORDER BY stream_id, bucket, grp, number
        """
    ), parameters


def _source(
    aggregation_type: str, partition: Partition, *, of_one: bool, as_billed: bool
) -> tuple[str, dict[str, Any]]:
    """The events that count, each with its stream, its bucket, its group and its value."""
    parameters: dict[str, Any] = {}
    # Of one stream alone the database need not tell streams apart: it adds up as it reads.
    whose = (
        "e.stream_id = (CAST(:streams AS bigint[]))[1]"
        if of_one
        else "e.stream_id = ANY(CAST(:streams AS bigint[]))"
    )
    conditions = [whose, "e.timestamp >= :start", "e.timestamp < :end", *usable(aggregation_type)]
    if as_billed:
        conditions.append(billed())
    names = Names(parameters)
    conditions += only(partition, names)
    return (
        f"SELECT e.stream_id, {place(partition, names)},"
        f" {VALUES.get(aggregation_type, _NUMBER)} AS value, e.timestamp, coalesce(e.occurred_at, e.timestamp) AS happened,"
        " e.created_at, e.id,"
        " e.properties ->> 'operation_type' AS operation, e.precise_total_amount_cents"
        f" FROM events e WHERE {' AND '.join(conditions)}"
    ), parameters


def usable(aggregation_type: str) -> list[str]:
    """What an event must have to count."""
    if aggregation_type == "count_agg":
        return []
    return [_PRESENT if aggregation_type == "unique_count_agg" else _NUMBERS]


def only(partition: Partition, names: Names) -> list[str]:
    return [_is_one_of(names, key, values) for key, values in partition.only]


def place(partition: Partition, names: Names) -> str:
    return f"{_bucket(partition, names)} AS bucket, {_group(partition, names)} AS grp"


class Names:
    """Binds what clients wrote: keys and values never become part of a statement's text."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        self._parameters = parameters

    def bind(self, value: str | list[str]) -> str:
        name = f"p{len(self._parameters)}"
        self._parameters[name] = value
        return f"CAST(:{name} AS {'text' if isinstance(value, str) else 'text[]'})"


def _is_one_of(names: Names, key: str, values: tuple[str, ...]) -> str:
    return f"coalesce(e.properties ->> {names.bind(key)} = ANY({names.bind(list(values))}), false)"


def _matches(names: Names, bucket: Bucket) -> str:
    return " AND ".join(_is_one_of(names, key, values) for key, values in bucket.conditions) or "true"


def _bucket(partition: Partition, names: Names) -> str:
    """The index of the most specific filter that matches, as `Partition.place` has it."""
    cases = [f"WHEN {_matches(names, partition.buckets[i])} THEN {i}" for i in partition.by_specificity]
    return f"CASE {' '.join(cases)} ELSE {len(partition.buckets)} END" if cases else "0"


def _group(partition: Partition, names: Names) -> str:
    if not any(bucket.group_keys for bucket in (*partition.buckets, partition.default)):
        return "CAST('[]' AS jsonb)"
    cases = [
        f"WHEN {_matches(names, partition.buckets[i])} THEN {_key_values(partition.buckets[i], names)}"
        for i in partition.by_specificity
    ]
    default = _key_values(partition.default, names)
    return f"CASE {' '.join(cases)} ELSE {default} END" if cases else default


def _key_values(bucket: Bucket, names: Names) -> str:
    values = (f"nullif(e.properties ->> {names.bind(key)}, '')" for key in bucket.group_keys)
    return f"jsonb_build_array({', '.join(values)})"
