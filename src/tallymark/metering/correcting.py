"""Events that are corrected: roll-ups follow in the same transaction, or are built anew (docs/decisions/0020)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import LiteralString
from uuid import UUID

from sqlalchemy import text

from tallymark.db.engine import Tx
from tallymark.metering.folding import ADD, COLUMNS, FED, fold

_EVENTS: LiteralString = "(SELECT * FROM events WHERE id = ANY(:ids))"
_CAN_BE_TAKEN_OUT: LiteralString = "r.aggregation_type IN ('count_agg', 'sum_agg', 'weighted_sum_agg')"

_HOLD = text("SELECT tallymark_hold_rules()")


def _adding(sign: LiteralString) -> LiteralString:
    return f"""
        INSERT INTO rollup_parts AS p ({COLUMNS}, is_base)
        SELECT rollup_id, hour, place, organization_id, properties, value,
               {sign}events, {sign}total, {sign}moment, {sign}amount, greatest, last, false
        FROM ({fold(_EVENTS, f"{FED} AND {_CAN_BE_TAKEN_OUT}")}) folded
        ORDER BY rollup_id, hour, place
        {ADD}
    """


_PUT_IN, _TAKE_OUT = text(_adding("")), text(_adding("-"))
# A greatest value, a latest one, or the last operation on a value: what it was without the event is not in the roll-up.
_RETIRE = text(f"""
    WITH retired AS (
        UPDATE rollups r SET retired_at = now()
        WHERE {FED} AND NOT {_CAN_BE_TAKEN_OUT}
          AND EXISTS (
              SELECT FROM events e
              WHERE e.id = ANY(:ids) AND e.stream_id = r.stream_id AND e.timestamp >= r.since AND e.timestamp < r.until)
        RETURNING r.*
    )
    INSERT INTO rollups (organization_id, stream_id, aggregation_type, field_name, dimensions, since, until)
    SELECT organization_id, stream_id, aggregation_type, field_name, dimensions, since, until FROM retired ORDER BY id
""")


@asynccontextmanager
async def corrected(tx: Tx, event_ids: Collection[UUID]) -> AsyncIterator[None]:
    """Change stored events inside; what was added up of them before is taken out, and what they are afterwards put in."""
    bound = {"ids": sorted(event_ids)}
    await tx.execute(_HOLD)
    await tx.execute(_TAKE_OUT, bound)
    await tx.execute(_RETIRE, bound)
    yield
    await tx.execute(_PUT_IN, bound)
    await tx.execute(_RETIRE, bound)
