"""How what reads usage is planned by the database: of roll-ups once for all, of events each time (docs/decisions/0018)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, TextClause, text

from tallymark.db.engine import Tx

_AS_USUAL, _ONCE_FOR_ALL, _FOR_ITS_VALUES = "auto", "force_generic_plan", "force_custom_plan"

# Streams, what of them is rolled up, and how reads are planned from here on: of roll-ups by the plan of any stream if one has them.
_FIND_STREAMS = text(
    "WITH found AS MATERIALIZED ("
    " SELECT external_subscription_id, code, id,"
    " (SELECT jsonb_agg(jsonb_build_array(r.id, r.aggregation_type, r.field_name, r.dimensions, r.since, r.until)) FROM rollups r"
    "  WHERE r.stream_id = event_streams.id AND r.built_at IS NOT NULL AND r.retired_at IS NULL) AS rollups"
    " FROM event_streams"
    " JOIN unnest(CAST(:subscriptions AS text[]), CAST(:codes AS text[])) AS asked (subscription, asked_code)"
    " ON external_subscription_id = subscription AND code = asked_code WHERE organization_id = :organization"
    ") SELECT found.*, planning.mode FROM found CROSS JOIN ("
    "  SELECT set_config('plan_cache_mode', CASE bool_or(rollups IS NOT NULL) WHEN true THEN 'force_generic_plan'"
    "  WHEN false THEN 'force_custom_plan' ELSE 'auto' END, true) AS mode FROM found"
    " ) planning"
)
_PLAN = text("SELECT set_config('plan_cache_mode', :mode, true)")


class Reads:
    """Statements that read usage, each planned in the way that is fastest for it; whatever comes after is planned as usual.

    A plan made for any stream is twice as slow for a large one as a plan made for it, where events are read. Parts of roll-ups
    are few and always found by their key: there, to plan takes as long as to read. Nothing else is planned anew each time: for
    each check of a foreign key that takes five times as long as the check.
    """

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        self._mode = _AS_USUAL

    async def streams(self, parameters: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """The streams that are asked for, and what of each is rolled up."""
        rows = (await self.tx.execute(_FIND_STREAMS, parameters)).all()
        if rows:
            self._mode = rows[0].mode
        return rows

    async def events(self, statement: TextClause, parameters: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Rows of a statement that is planned for its own values."""
        await self._plan(_FOR_ITS_VALUES)
        return (await self.tx.execute(statement, parameters)).all()

    async def parts(self, statement: TextClause, parameters: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Rows of a statement that is planned once for all."""
        await self._plan(_ONCE_FOR_ALL)
        return (await self.tx.execute(statement, parameters)).all()

    async def end(self) -> None:
        """Plan as usual again."""
        await self._plan(_AS_USUAL)

    async def _plan(self, mode: str) -> None:
        if mode != self._mode:
            await self.tx.execute(_PLAN, {"mode": mode})
            self._mode = mode
