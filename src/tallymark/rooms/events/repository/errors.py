"""What was odd about events received in an hour, for the webhook that tells of it (metering §1.7)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Tx
from tallymark.rooms.events.model import ErrorReport
from tallymark.rooms.events.repository.noting import IS_SHOWN

MOST_IDS = 10_000
"""How many transaction ids a list has at the most: a message of millions helps nobody."""

_KINDS = ("invalid_code", "missing_aggregation_property", "invalid_filter_values")
_LISTS = ", ".join(
    f"(array_agg(transaction_id ORDER BY transaction_id) FILTER (WHERE kind = '{kind}'))[1:{MOST_IDS}] AS {kind}"
    for kind in _KINDS
)


def _reading(whose: str) -> str:
    return rf"""
        WITH received AS MATERIALIZED (
            SELECT e.organization_id, e.transaction_id, m.id AS metric_id, m.aggregation_type, e.properties,
                   e.properties ->> m.field_name AS value
            FROM events e JOIN event_streams s ON s.id = abs(e.stream_id) AND {IS_SHOWN}
            LEFT JOIN billable_metrics m
                ON m.organization_id = s.organization_id AND m.code = s.code AND m.deleted_at IS NULL
            WHERE e.created_at >= :since AND e.created_at < :until AND {whose}
        ),
        odd AS (
            SELECT organization_id, transaction_id, 'invalid_code' AS kind FROM received WHERE metric_id IS NULL
            UNION
            SELECT organization_id, transaction_id, 'missing_aggregation_property' FROM received
            WHERE aggregation_type <> 'count_agg' AND (
                value IS NULL
                OR aggregation_type <> 'unique_count_agg' AND value !~ '^-?[0-9]+(\.[0-9]+)?$'
            )
            UNION
            SELECT r.organization_id, r.transaction_id, 'invalid_filter_values'
            FROM received r JOIN billable_metric_filters f ON f.billable_metric_id = r.metric_id
            WHERE r.properties ? f.key AND NOT coalesce(f."values" ? (r.properties ->> f.key), false)
        )
        SELECT organization_id, {_LISTS} FROM odd GROUP BY organization_id
    """


_OF_ONE = text(_reading("e.organization_id = :organization"))
_OF_LIVE = text(
    _reading("NOT EXISTS (SELECT FROM test_clocks c WHERE c.organization_id = e.organization_id)")
)
_CLAIM = text("SELECT read_until FROM followers WHERE name = :name FOR UPDATE SKIP LOCKED")
_MOVE = text("UPDATE followers SET read_until = :until WHERE name = :name")


async def report_of(tx: Tx, *, since: datetime, until: datetime) -> ErrorReport | None:
    """What one organization's events of a stretch of time had; None where nothing was odd."""
    bound = {"since": since, "until": until, "organization": tx.organization_id}
    row = (await tx.execute(_OF_ONE, bound)).first()
    return None if row is None else _as_report(row)


async def reports_of_live(
    connection: AsyncConnection, *, since: datetime, until: datetime
) -> list[ErrorReport]:
    """The same of all live organizations, in one reading; needs a system transaction."""
    return [_as_report(row) for row in await connection.execute(_OF_LIVE, {"since": since, "until": until})]


async def claim(connection: AsyncConnection, follower: str) -> datetime | None:
    """Up to when a follower has read, its row locked; None while another process holds it."""
    found: datetime | None = (await connection.execute(_CLAIM, {"name": follower})).scalar_one_or_none()
    return found


async def move(connection: AsyncConnection, follower: str, *, until: datetime) -> None:
    """Note up to when a follower has read."""
    await connection.execute(_MOVE, {"name": follower, "until": until})


def _as_report(row: Row[Any]) -> ErrorReport:
    organization_id: UUID = row.organization_id
    lists = {kind: tuple(getattr(row, kind) or ()) for kind in _KINDS}
    return ErrorReport(organization_id=organization_id, **lists)
