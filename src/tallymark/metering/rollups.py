"""Roll-ups: which streams have which, which would be worth it, and how one is built (docs/decisions/0018)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Database, Tx
from tallymark.domain.periods import Period
from tallymark.domain.usage import Partition
from tallymark.metering.folding import COLUMNS, fold

log = structlog.get_logger(__name__)

WORTH_IT = 2_000
"""Events of one stream that an answer may read before a roll-up is asked for."""

TELLING = 2_000
"""Events of a roll-up from which on it is told whether it adds anything up."""

_LONGEST_NAMES = 1_000
_MANY = 500

# One at a time may ask for those of a stream, and who finds another at it lets it be: asking never waits, so that no read, and
# no bill, waits for another.
_WANT = text("""
    INSERT INTO rollups (organization_id, stream_id, aggregation_type, field_name, dimensions, since, until)
    SELECT :organization, stream_id, :aggregation_type, :field_name, CAST(:dimensions AS text[]),
           coalesce(CAST(:since AS timestamptz), '-infinity'), coalesce(CAST(:until AS timestamptz), 'infinity')
    FROM unnest(CAST(:streams AS bigint[])) AS s(stream_id)
    WHERE pg_try_advisory_xact_lock(hashtextextended('wanted roll-ups:' || stream_id, 0))
    ON CONFLICT DO NOTHING
""")
_WANTED = text(f"""
    SELECT id FROM rollups WHERE version IS NULL AND built_at IS NULL AND declined_at IS NULL AND retired_at IS NULL ORDER BY id LIMIT {_MANY}
""")
_FEED = text("""
    WITH raised AS (
        UPDATE versions SET value = value + 1, raised_in = CAST(CAST(pg_current_xact_id() AS text) AS bigint)
        WHERE name = 'advance_codes' RETURNING value
    )
    UPDATE rollups SET version = raised.value FROM raised WHERE id = ANY(:ids) AND version IS NULL
""")
_UNBUILT = text("""
    SELECT stream_id, array_agg(id ORDER BY id) AS ids
    FROM rollups WHERE version IS NOT NULL AND built_at IS NULL AND declined_at IS NULL AND retired_at IS NULL GROUP BY stream_id ORDER BY stream_id
""")
_EVENTS: LiteralString = "(SELECT * FROM events WHERE stream_id = :stream)"
_BUILD = text(f"""
    INSERT INTO rollup_parts ({COLUMNS}, is_base)
    SELECT rollup_id, hour, place, c.organization_id, c.properties, c.value, c.events - coalesce(d.events, 0),
           c.total - coalesce(d.total, 0), c.moment - coalesce(d.moment, 0), c.amount - coalesce(d.amount, 0),
           c.greatest, c.last, true
    FROM ({fold(_EVENTS, "r.id = ANY(:ids)")}) c
    LEFT JOIN rollup_parts d USING (rollup_id, hour, place)
    WHERE c.events > coalesce(d.events, 0)
""")
_FINISH = text("""
    UPDATE rollups r
    SET built_at = CASE WHEN p.parts * 2 <= p.events OR p.events < :few THEN now() END,
        declined_at = CASE WHEN p.parts * 2 > p.events AND p.events >= :few THEN now() END
    FROM (
        SELECT i.id, count(p.rollup_id) AS parts, coalesce(sum(p.events), 0) AS events
        FROM unnest(CAST(:ids AS bigint[])) AS i(id) LEFT JOIN rollup_parts p ON p.rollup_id = i.id GROUP BY i.id
    ) p
    WHERE r.id = p.id
    RETURNING r.id, r.declined_at IS NOT NULL AS is_declined
""")
_DROP_PARTS = text("DELETE FROM rollup_parts WHERE rollup_id = ANY(:ids)")
# Who chose one just before it was retired has long read it.
_RETIRED = text("SELECT id FROM rollups WHERE retired_at < now() - interval '1 hour'")
_DROP = text("DELETE FROM rollups WHERE id = ANY(:ids)")
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended('rollups:' || :stream, 0))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """Usage of one stream added up by the hour, told apart by `dimensions`."""

    id: int
    aggregation_type: str
    field_name: str
    dimensions: frozenset[str]
    window: Period | None = None
    """The only window that a unique count is kept for."""

    def answers(self, question: RollupQuestion) -> bool:
        """Whether what is asked can be read from it."""
        window = question.window
        return (
            (self.aggregation_type, self.field_name) == (question.aggregation_type, question.field_name)
            and self.dimensions >= question.dimensions
            and (
                self.window is None
                or (
                    window is not None and self.window.start == window.start and self.window.end >= window.end
                )
            )
        )

    @property
    def size(self) -> tuple[int, timedelta, int]:
        """How much there is to read in it, about."""
        return (
            len(self.dimensions),
            self.window.end - self.window.start if self.window else timedelta(0),
            self.id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupQuestion:
    """What a roll-up must have to answer a question; `window` where hours don't add up to it."""

    aggregation_type: str
    field_name: str
    dimensions: frozenset[str]
    window: Period | None = None

    @classmethod
    def of(
        cls,
        aggregation_type: str,
        field_name: str | None,
        partition: Partition,
        *,
        start: datetime,
        end: datetime,
    ) -> RollupQuestion:
        """What is asked of the events from `start` to `end`."""
        is_unique = aggregation_type == "unique_count_agg"
        return cls(
            aggregation_type=aggregation_type,
            field_name="" if aggregation_type == "count_agg" else field_name or "",
            dimensions=dimensions_of(partition),
            window=Period(start, end) if is_unique else None,
        )


def dimensions_of(partition: Partition) -> frozenset[str]:
    """The properties by which a question tells events apart."""
    buckets = (*partition.buckets, partition.default)
    keys = {key for bucket in buckets for key in bucket.group_keys}
    keys |= {key for bucket in buckets for key, _ in bucket.conditions}
    return frozenset(keys | {key for key, _ in partition.only})


def choose(rollups: Iterable[Rollup], question: RollupQuestion) -> Rollup | None:
    """The smallest roll-up that answers a question.

    >>> fine = Rollup(id=1, aggregation_type="sum_agg", field_name="n", dimensions=frozenset({"region", "team"}))
    >>> coarse = Rollup(id=2, aggregation_type="sum_agg", field_name="n", dimensions=frozenset({"region"}))
    >>> by_region = RollupQuestion(aggregation_type="sum_agg", field_name="n", dimensions=frozenset({"region"}))
    >>> choose([fine, coarse], by_region).id
    2
    >>> by_team = RollupQuestion(aggregation_type="sum_agg", field_name="n", dimensions=frozenset({"team"}))
    >>> choose([coarse], by_team) is None
    True
    """
    fitting = [rollup for rollup in rollups if rollup.answers(question)]
    return min(fitting, key=lambda rollup: rollup.size, default=None)


async def want(tx: Tx, stream_ids: Collection[int], question: RollupQuestion) -> None:
    """Ask for roll-ups of streams that are costly to read; a worker builds them soon after."""
    names = sum(map(len, question.dimensions)) + len(question.field_name)
    if tx.is_read_only or not stream_ids or names > _LONGEST_NAMES:
        return
    await tx.execute(
        _WANT,
        {
            "organization": tx.organization_id,
            "streams": sorted(stream_ids),
            "aggregation_type": question.aggregation_type,
            "field_name": question.field_name,
            "dimensions": sorted(question.dimensions),
            "since": question.window and question.window.start,
            "until": question.window and question.window.end,
        },
    )


async def build_wanted(database: Database) -> int:
    """Build the roll-ups that are asked for, and return how many; whatever was cut off before is done as well.

    First every flush from now on adds to them, and all before have ended. Then what is stored and was not added is counted,
    in one snapshot. So each event is counted once, and nobody waits.
    """
    while True:
        async with database.system() as connection:
            ids = list((await connection.execute(_WANTED)).scalars())
            if not ids:
                break
            await connection.execute(_FEED, {"ids": ids})
    async with database.system() as connection:
        retired = {"ids": list((await connection.execute(_RETIRED)).scalars())}
        if retired["ids"]:
            await connection.execute(_DROP_PARTS, retired)
            await connection.execute(_DROP, retired)
        unbuilt = (await connection.execute(_UNBUILT)).all()
    return sum([await _build(database, row.stream_id, row.ids) for row in unbuilt])


async def _build(database: Database, stream_id: int, ids: Sequence[int]) -> int:
    async with database.system(is_repeatable=True) as connection:
        if not (await connection.execute(_TRY_LOCK, {"stream": str(stream_id)})).scalar_one():
            return 0  # another worker is at it
        await connection.execute(_BUILD, {"stream": stream_id, "ids": list(ids)})
        return await _finish(connection, ids)


async def _finish(connection: AsyncConnection, ids: Sequence[int]) -> int:
    """Have them read from now on; what is nearly as many parts as events is let go."""
    found = (await connection.execute(_FINISH, {"ids": list(ids), "few": TELLING})).all()
    outcome: dict[bool, list[int]] = defaultdict(list)
    for row in found:
        outcome[row.is_declined].append(row.id)
    if outcome[True]:
        await connection.execute(_DROP_PARTS, {"ids": outcome[True]})
    log.info("roll-ups built", built=len(outcome[False]), declined=len(outcome[True]))
    return len(outcome[False])
