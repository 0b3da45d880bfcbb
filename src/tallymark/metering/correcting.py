"""Events that are corrected: roll-ups follow in the same transaction, or are built anew (docs/decisions/0020)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from sqlalchemy import TextClause, text

from tallymark.db.engine import Tx
from tallymark.metering.folding import ADD, COLUMNS, FED, fold

_CAN_BE_TAKEN_OUT: LiteralString = "r.aggregation_type IN ('count_agg', 'sum_agg', 'weighted_sum_agg')"

_HOLD = text("SELECT tallymark_hold_rules()")


@dataclass(frozen=True, slots=True)
class _Statements:
    """What is done with the parts of some events, `which` being a condition on `events`."""

    which: LiteralString

    @property
    def put_in(self) -> TextClause:
        return text(self._adding(""))

    @property
    def take_out(self) -> TextClause:
        return text(self._adding("-"))

    @property
    def retire(self) -> TextClause:
        """A greatest value, a latest one, or the last operation on a value: what it was without them is not in the roll-up."""
        return text(f"""
            WITH touched AS MATERIALIZED (SELECT stream_id, timestamp FROM events_by_id WHERE {self.which}),
            retired AS (
                UPDATE rollups r SET retired_at = now()
                WHERE {FED} AND NOT {_CAN_BE_TAKEN_OUT}
                  AND EXISTS (
                      SELECT FROM touched e
                      WHERE e.stream_id = r.stream_id AND e.timestamp >= r.since AND e.timestamp < r.until)
                RETURNING r.*
            )
            INSERT INTO rollups (organization_id, stream_id, aggregation_type, field_name, dimensions, since, until)
            SELECT organization_id, stream_id, aggregation_type, field_name, dimensions, since, until FROM retired ORDER BY id
        """)

    def _adding(self, sign: LiteralString) -> LiteralString:
        events: LiteralString = f"(SELECT * FROM events_by_id WHERE {self.which})"
        return f"""
            INSERT INTO rollup_parts AS p ({COLUMNS}, is_base)
            SELECT rollup_id, hour, place, organization_id, properties, value,
                   {sign}events, {sign}total, {sign}moment, {sign}amount, greatest, last, false
            FROM ({fold(events, f"{FED} AND {_CAN_BE_TAKEN_OUT}")}) folded
            ORDER BY rollup_id, hour, place
            {ADD}
        """


_NAMED = _Statements("id = ANY(CAST(:ids AS uuid[]))")
_BACKFILLED = _Statements("id IN (SELECT event_id FROM backfilled_events WHERE backfill_id = :backfill)")


@asynccontextmanager
async def corrected(tx: Tx, event_ids: Collection[UUID]) -> AsyncIterator[None]:
    """Change stored events inside; what was added up of them before is taken out, and what they are afterwards put in."""
    async with _corrected(tx, _NAMED, {"ids": sorted(event_ids)}):
        yield


@asynccontextmanager
async def backfilled(tx: Tx, backfill_id: UUID) -> AsyncIterator[None]:
    """The same with all events that a backfill brings or replaces, however many they are."""
    async with _corrected(tx, _BACKFILLED, {"backfill": backfill_id}):
        yield


@asynccontextmanager
async def _corrected(tx: Tx, statements: _Statements, bound: dict[str, Any]) -> AsyncIterator[None]:
    await tx.execute(_HOLD)
    await tx.execute(statements.take_out, bound)
    await tx.execute(statements.retire, bound)
    yield
    await tx.execute(statements.put_in, bound)
    await tx.execute(statements.retire, bound)
