"""The months by which events are cut up (docs/decisions/0028)."""

from __future__ import annotations

import structlog
from sqlalchemy import text

from tallymark.db.engine import Database

log = structlog.get_logger(__name__)

AHEAD = 2
"""Months after the one under way that are there before they begin."""

OPEN_MONTHS = text(f"""
    SELECT count(*) FILTER (WHERE tallymark_open_month(CAST(months.starts AS date)))
    FROM (
        SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month' AS starts
        FROM generate_series(0, {AHEAD}) n
    ) months
""")
"""Makes those that are missing; the number of them. What holds the table at that moment is not waited for longer than two seconds."""

# Nothing else looks at the table as a whole: PostgreSQL itself counts the rows of each month alone, and joins are planned by the whole.
_HAS_GROWN = text("""
    SELECT sum(greatest(month.reltuples, 0)) > 1.2 * greatest(whole.reltuples, 1000)
    FROM pg_class whole JOIN pg_inherits i ON i.inhparent = whole.oid JOIN pg_class month ON month.oid = i.inhrelid
    WHERE whole.oid = CAST('events' AS regclass) GROUP BY whole.reltuples
""")
_COUNT = text("ANALYZE events")


async def keep_months(database: Database) -> None:
    """Make the tables of the months to come, and count the events anew where they have become many more."""
    async with database.system() as connection:
        opened = int((await connection.execute(OPEN_MONTHS)).scalar_one())
    if opened:
        log.info("months of events opened", months=opened)
    async with database.system() as connection:
        if (await connection.execute(_HAS_GROWN)).scalar_one():
            await connection.execute(_COUNT)
