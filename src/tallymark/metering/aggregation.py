"""Units of a window by bucket and group, computed by the database (metering §5-§7).

Questions that differ in nothing but the subscription are one statement, whatever the number of subscriptions, filters and
groups; recurring units that are prorated by the day are read event by event, for their order decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.hashing import hashed_once
from tallymark.domain.money import fixed
from tallymark.domain.periods import Period
from tallymark.domain.rating import Usage
from tallymark.domain.rating.model import NOTHING, Needs
from tallymark.domain.usage import (
    WHOLE,
    Group,
    Operation,
    Partition,
    Proration,
    prorated_units,
    round_units,
    sum_changes,
    unique_changes,
)
from tallymark.metering import rolled, rollups, statements
from tallymark.metering.reads import Reads
from tallymark.metering.rollups import Rollup, RollupQuestion, choose

ZERO = Fraction(0)
HISTORY = ("sum_agg", "unique_count_agg", "weighted_sum_agg")
"""Aggregations that, when recurring, read everything up to the window's end (metering §5.1)."""

BEGINNING = datetime.fromisoformat("0001-01-01T00:00:00+00:00")

Place = tuple[int, Group]
"""A bucket, the default one being last, and a group in it."""

Spot = tuple[int, Place]
"""A place in the events of one stream."""

StreamKey = tuple[str, str]
"""External subscription id and code."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The events of one subscription and code, and what of them is rolled up."""

    id: int
    rollups: tuple[Rollup, ...] = ()


@hashed_once
@dataclass(frozen=True, kw_only=True)
class Aggregation:
    """Which events of a subscription to aggregate, and how. `full_period` is the whole period of which the window may be a part.

    With `as_of` it is what the window came to then: events of a later time are left out. With `billed_at` it is what a bill that
    was made then has of it: events that came later are left out, unless a correction put them there (docs/decisions/0029).
    """

    code: str
    aggregation_type: str
    field_name: str | None
    window: Period
    full_period: Period | None = None
    partition: Partition = WHOLE
    is_recurring: bool = False
    rounding_function: str | None = None
    rounding_precision: int | None = None
    needs: tuple[Needs, ...] = (NOTHING,)
    """What the price of each bucket must know, the default one's last."""

    proration: Proration | None = None
    as_of: datetime | None = None
    billed_at: datetime | None = None

    @property
    def reads_history(self) -> bool:
        """Whether events before the window count in it."""
        return self.is_recurring and self.aggregation_type in HISTORY


@hashed_once
@dataclass(frozen=True, kw_only=True)
class UsageQuery:
    """An aggregation of one subscription's events; those of one plan share theirs."""

    external_subscription_id: str
    aggregation: Aggregation


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """Usage ready to be priced, and its units before the metric rounded them."""

    usage: Usage
    units_before_rounding: Fraction


Aggregates = Mapping[Place, Aggregate]

NO_USAGE = Aggregate(usage=Usage(units=ZERO, events_count=0), units_before_rounding=ZERO)

# One look into an index for each stream: without the limits the database might read all events, and keep what fits.
_USED_SINCE = text("""
    SELECT asked.subscription
    FROM unnest(CAST(:subscriptions AS text[]), CAST(:starts AS timestamptz[])) AS asked (subscription, start)
    CROSS JOIN LATERAL (
        SELECT FROM event_streams s
        CROSS JOIN LATERAL (
            SELECT FROM events e WHERE e.stream_id = s.id AND e.timestamp >= asked.start LIMIT 1
        ) event
        WHERE s.organization_id = :organization AND s.external_subscription_id = asked.subscription
        LIMIT 1
    ) used
""")


async def used_since(tx: Tx, starts: Mapping[str, datetime]) -> set[str]:
    """Which subscriptions, by external id, have any event of an instant or after it, whatever its code."""
    if not starts:
        return set()
    asked = {"subscriptions": list(starts), "starts": list(starts.values())}
    found = await tx.execute(_USED_SINCE, {"organization": tx.organization_id, **asked})
    return set(found.scalars())


async def aggregate(tx: Tx, query: UsageQuery) -> Aggregates:
    """Aggregate the events of one question. See `aggregate_all`."""
    return (await aggregate_all(tx, [query]))[query]


async def aggregate_all(tx: Tx, queries: Iterable[UsageQuery]) -> dict[UsageQuery, Aggregates]:
    """Aggregate the events of subscriptions for several questions, those that are alike together, equal ones once.

    Every bucket has at least one entry: without events, that of no usage in the group without values (metering §7.1).
    """
    asked = list(dict.fromkeys(queries))
    reads = Reads(tx)
    streams = await _find_streams(reads, asked)
    alike = _alike(asked, streams)
    used: dict[UsageQuery, dict[Place, Aggregate]] = {query: {} for query in asked}
    readings = [
        _reading(aggregation, [streams[_stream_key(query)] for query in of_stream.values()])
        for aggregation, of_stream in alike.items()
    ]
    rolled_rows = await _read_parts(reads, readings)
    for reading, of_stream in zip(readings, alike.values(), strict=True):
        found = await _aggregate(reads, reading, rolled_rows[id(reading)])
        for (stream_id, place), aggregate in found.items():
            used[of_stream[stream_id]][place] = aggregate
    await reads.end()
    return {query: _with_unused(query, found) for query, found in used.items()}


def _alike(
    queries: Sequence[UsageQuery], streams: Mapping[StreamKey, Stream]
) -> dict[Aggregation, dict[int, UsageQuery]]:
    """What is asked of which streams, each with its own question; a subscription without events is left out."""
    found: dict[Aggregation, dict[int, UsageQuery]] = defaultdict(dict)
    for query in queries:
        stream = streams.get(_stream_key(query))
        if stream is not None:
            found[query.aggregation][stream.id] = query
    return found


def _stream_key(query: UsageQuery) -> StreamKey:
    return query.external_subscription_id, query.aggregation.code


async def _find_streams(reads: Reads, queries: Sequence[UsageQuery]) -> dict[StreamKey, Stream]:
    wanted = list({_stream_key(query): None for query in queries})
    if not wanted:
        return {}
    rows = await reads.streams(
        {
            "organization": reads.tx.organization_id,
            "subscriptions": [subscription for subscription, _ in wanted],
            "codes": [code for _, code in wanted],
        }
    )
    return {
        (row.external_subscription_id, row.code): Stream(row.id, tuple(map(_rollup, row.rollups or ())))
        for row in rows
    }


def _rollup(written: Sequence[Any]) -> Rollup:
    rollup_id, aggregation_type, field_name, dimensions, since, until = written
    is_kept_for_one_window = since != "-infinity"
    return Rollup(
        id=rollup_id,
        aggregation_type=aggregation_type,
        field_name=field_name,
        dimensions=frozenset(dimensions),
        window=Period(datetime.fromisoformat(since), datetime.fromisoformat(until))
        if is_kept_for_one_window
        else None,
    )


def _with_unused(query: UsageQuery, used: Mapping[Place, Aggregate]) -> Aggregates:
    partition = query.aggregation.partition
    seen = {bucket for bucket, _ in used}
    unused = [index for index in range(len(partition.buckets) + 1) if index not in seen]
    return {
        **used,
        **{(index, partition.bucket(index).blank_group): _none(query.aggregation) for index in unused},
    }


def _none(asked: Aggregation) -> Aggregate:
    if asked.proration is None:
        return NO_USAGE
    usage = replace(NO_USAGE.usage, full_units=ZERO, changes=())
    return replace(NO_USAGE, usage=usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One aggregation of some streams: which of them are read from roll-ups, kept for which window, and which from events."""

    asked: Aggregation
    scope: Mapping[str, Any]
    question: RollupQuestion
    of_parts: Mapping[Period | None, Sequence[tuple[int, Rollup]]]
    of_events: Sequence[int]


def _reading(asked: Aggregation, streams: Sequence[Stream]) -> _Reading:
    scope = _scope(asked, [stream.id for stream in streams])
    question = RollupQuestion.of(
        asked.aggregation_type, asked.field_name, asked.partition, start=scope["start"], end=scope["end"]
    )
    of_parts: dict[Period | None, list[tuple[int, Rollup]]] = defaultdict(list)
    of_events = []
    # Roll-ups tell neither when the events came nor in which order they happened.
    is_rolled = asked.billed_at is None and asked.proration is None
    for stream in streams:
        rollup = choose(stream.rollups, question) if is_rolled else None
        if rollup is None:
            of_events.append(stream.id)
        else:
            of_parts[rollup.window].append((stream.id, rollup))
    return _Reading(asked=asked, scope=scope, question=question, of_parts=of_parts, of_events=of_events)


async def _read_parts(reads: Reads, readings: Sequence[_Reading]) -> Mapping[int, Sequence[Row[Any]]]:
    """What each reading, by its identity, has from roll-ups: units by stream, bucket and group."""
    parts = [(reading, alike) for reading in readings for alike in reading.of_parts.values()]
    at_once = len(parts) if len(parts) <= rolled.AT_ONCE else 1
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for chunk in (parts[start : start + at_once] for start in range(0, len(parts), at_once or 1)):
        statement, parameters = rolled.totals(
            [
                (reading.asked.aggregation_type, reading.asked.partition, _of_parts(reading, alike))
                for reading, alike in chunk
            ]
        )
        for row in await reads.parts(statement, parameters):
            found[id(chunk[row.question][0])].append(row)
    return found


def _of_parts(reading: _Reading, alike: Sequence[tuple[int, Rollup]]) -> dict[str, Any]:
    """The parameters of a reading from roll-ups that are kept for the same window."""
    scope = {name: value for name, value in reading.scope.items() if name != "streams"}
    reach = rolled.reach(alike[0][1], scope["start"], scope["end"], middle=scope.get("from"))
    whose = {
        "rolled": [stream_id for stream_id, _ in alike],
        "rollups": [rollup.id for _, rollup in alike],
    }
    return {**scope, **reach, **whose}


async def _aggregate(
    reads: Reads, reading: _Reading, rolled_rows: Sequence[Row[Any]]
) -> dict[Spot, Aggregate]:
    asked, scope = reading.asked, reading.scope
    if asked.proration is not None:
        return await _prorate(reads, asked, asked.proration, scope)
    rows = [*rolled_rows, *await _read_events(reads, reading)]
    if asked.aggregation_type == "weighted_sum_agg":
        return _weigh(asked, rows)
    running = await _running_totals(reads, asked, scope)
    values = await _event_values(reads, asked, scope)
    return {
        spot: _plain(asked, row, running.get(spot, ()), values.get(spot, ()))
        for row in rows
        for spot in [_spot(row)]
    }


async def _read_events(reads: Reads, reading: _Reading) -> Sequence[Row[Any]]:
    """The same from events; of streams that are costly to read so, roll-ups are asked for."""
    if not reading.of_events:
        return []
    asked = reading.asked
    statement, bound = statements.totals(
        asked.aggregation_type,
        asked.partition,
        of_one=len(reading.of_events) == 1,
        as_billed=asked.billed_at is not None,
    )
    found = await reads.events(statement, {**bound, **reading.scope, "streams": reading.of_events})
    if asked.billed_at is None:
        read: dict[int, int] = defaultdict(int)
        for row in found:
            read[row.stream_id] += row.events_read
        busy = [stream_id for stream_id, events in read.items() if events >= rollups.WORTH_IT]
        await rollups.want(reads.tx, busy, reading.question)
    return found


def _spot(row: Row[Any]) -> Spot:
    return row.stream_id, (row.bucket, tuple(row.grp))


def _scope(asked: Aggregation, stream_ids: list[int]) -> dict[str, Any]:
    scope: dict[str, Any] = {
        "streams": stream_ids,
        "start": BEGINNING if asked.reads_history else asked.window.start,
        "end": min(asked.window.end, asked.as_of or asked.window.end),
    }
    if asked.aggregation_type != "count_agg":
        scope["field"] = asked.field_name
    if asked.aggregation_type == "weighted_sum_agg":
        scope |= {"from": asked.window.start, "until": _up_to_second(asked.window.last)}
    if asked.billed_at is not None:
        scope["billed_at"] = asked.billed_at
    return scope


def _needs(asked: Aggregation, bucket: int) -> Needs:
    return asked.needs[bucket] if bucket < len(asked.needs) else NOTHING


def _plain(
    asked: Aggregation, row: Row[Any], running: Sequence[Fraction], values: Sequence[Fraction]
) -> Aggregate:
    units = Fraction(row.units)
    rounded = _rounded(asked, units)
    needs = _needs(asked, row.bucket)
    counts = asked.aggregation_type in ("count_agg", "unique_count_agg")
    usage = Usage(
        units=rounded,
        events_count=int(row.events_count),
        running_totals=range(1, int(rounded) + 1) if counts and needs.running_totals else needs.trim(running),
        event_values=(Fraction(1),) * int(row.events_count) if counts and needs.event_values else values,
        precise_total_amount_cents=Fraction(row.amount),
    )
    return Aggregate(usage=usage, units_before_rounding=units)


def _rounded(asked: Aggregation, units: Fraction) -> Fraction:
    return round_units(units, asked.rounding_function, asked.rounding_precision)


def _weigh(asked: Aggregation, rows: Iterable[Row[Any]]) -> dict[Spot, Aggregate]:
    """Levels by the seconds that they are held, in units per full period (metering §5.3.2)."""
    assert asked.full_period is not None, "a weighted sum is a share of its full period"
    seconds = _seconds(asked.window.start, _up_to_second(asked.window.last))
    full = _seconds(asked.full_period.start, asked.full_period.end)
    found = {}
    for row in rows:
        units = (Fraction(row.carried) * seconds + Fraction(row.area)) / full
        usage = Usage(
            units=_rounded(asked, units),
            events_count=int(row.events_count),
            total_aggregated_units=Fraction(row.level),
        )
        if row.events_count or row.level or row.carried:
            found[_spot(row)] = Aggregate(usage=usage, units_before_rounding=units)
    return found


def _up_to_second(instant: datetime) -> datetime:
    return instant if not instant.microsecond else instant.replace(microsecond=0) + timedelta(seconds=1)


def _seconds(start: datetime, end: datetime) -> Fraction:
    elapsed = end.astimezone(UTC) - start.astimezone(UTC)
    return Fraction(elapsed // timedelta(microseconds=1), 1_000_000)


async def _prorate(
    reads: Reads, asked: Aggregation, proration: Proration, scope: Mapping[str, Any]
) -> dict[Spot, Aggregate]:
    """Full units, and what each event adds to them for which share of the period (metering §5.5)."""
    statement, bound = statements.rows(
        asked.aggregation_type,
        asked.partition,
        of_one=len(scope["streams"]) == 1,
        as_billed=asked.billed_at is not None,
    )
    by_spot: dict[Spot, list[Row[Any]]] = defaultdict(list)
    for row in await reads.events(statement, {**bound, **scope}):
        by_spot[_spot(row)].append(row)
    is_sum = asked.aggregation_type == "sum_agg"
    of_spot = _prorated_sum if is_sum else _prorated_unique_count
    return {spot: of_spot(asked, proration, rows) for spot, rows in by_spot.items()}


def _prorated_sum(asked: Aggregation, proration: Proration, rows: Sequence[Row[Any]]) -> Aggregate:
    values = [(row.timestamp, Fraction(row.value)) for row in rows]
    carried = sum((value for at, value in values if at < asked.window.start), ZERO)
    inside = [(at, value) for at, value in values if at >= asked.window.start]
    changes = sum_changes(carried, inside, proration)
    full = sum((value for _, value in values), ZERO)
    return _of_changes(asked, changes, full=full, events_count=len(values))


def _prorated_unique_count(asked: Aggregation, proration: Proration, rows: Sequence[Row[Any]]) -> Aggregate:
    operations = [
        Operation(at=row.timestamp, value=row.value, adds=row.operation in (None, "add")) for row in rows
    ]
    last = {operation.value: operation.adds for operation in operations}
    full = sum(last.values())
    changes = unique_changes(operations, proration)
    return _of_changes(asked, changes, full=Fraction(full), events_count=full, rounds_shares=True)


def _of_changes(
    asked: Aggregation,
    changes: Sequence[tuple[Fraction, Fraction]],
    *,
    full: Fraction,
    events_count: int,
    rounds_shares: bool = False,
) -> Aggregate:
    usage = Usage(
        units=_rounded(asked, prorated_units(changes)),
        full_units=_rounded(asked, full),
        events_count=events_count,
        changes=tuple(changes),
        rounds_shares=rounds_shares,
    )
    return Aggregate(usage=usage, units_before_rounding=full)


async def _running_totals(
    reads: Reads, asked: Aggregation, scope: Mapping[str, Any]
) -> dict[Spot, Sequence[Fraction]]:
    """Cumulated values for the prices' free units (metering §5.6); those of counts need no look at events."""
    if asked.aggregation_type != "sum_agg" or not any(needs.running_totals for needs in asked.needs):
        return {}
    statement, bound = statements.first_values(
        asked.aggregation_type,
        asked.partition,
        of_one=len(scope["streams"]) == 1,
        as_billed=asked.billed_at is not None,
    )
    most = max(needs.free_events for needs in asked.needs)
    free = max((needs.free_total for needs in asked.needs if not needs.free_events), default=ZERO)
    totals: dict[Spot, list[Fraction]] = defaultdict(list)
    reach = {"most": most, "free": fixed(free, 30) if free else -1}
    for row in await reads.events(statement, {**bound, **scope, **reach}):
        of_spot = totals[_spot(row)]
        of_spot.append((of_spot[-1] if of_spot else ZERO) + Fraction(row.value))
    return dict(totals)


async def _event_values(
    reads: Reads, asked: Aggregation, scope: Mapping[str, Any]
) -> dict[Spot, Sequence[Fraction]]:
    """Each event's value in the window, in the order of time, for prices that bound an event's amount (§5.6)."""
    needs_values = any(needs.event_values for needs in asked.needs)
    if not needs_values or asked.aggregation_type in ("count_agg", "unique_count_agg"):
        return {}
    statement, bound = statements.rows(
        asked.aggregation_type,
        asked.partition,
        of_one=len(scope["streams"]) == 1,
        as_billed=asked.billed_at is not None,
    )
    values: dict[Spot, list[Fraction]] = defaultdict(list)
    for row in await reads.events(statement, {**bound, **scope, "start": asked.window.start}):
        values[_spot(row)].append(Fraction(row.value))
    if asked.aggregation_type == "max_agg":
        return {spot: _only_greatest(found) for spot, found in values.items()}
    return dict(values)


def _only_greatest(values: list[Fraction]) -> list[Fraction]:
    """The maximum where it is first reached, nothing elsewhere."""
    first = values.index(max(values))
    return [value if index == first else ZERO for index, value in enumerate(values)]
