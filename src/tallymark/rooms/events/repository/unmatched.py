"""Which stored events count nowhere, and why: asked of streams and spans of time, never of events one by one.

For each stream the spans are added up in which a charge counts its events: those of invoices that are final, if the charge
was there when they were made, and what is still open of each subscription, if it is there now. What lies outside is
unmatched, for a reason that the span has; inside it is only what was noted of single events (noting.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.rooms.events.model import (
    FIRST_INSTANT,
    LAST_INSTANT,
    Filters,
    UnmatchedCount,
    UnmatchedReason,
)
from tallymark.rooms.events.repository.noting import FINAL_WINDOWS

# The streams asked about, and the subscriptions of their external ids, each with its life (subscriptions §3.9).
_WHOSE = """
    asked AS MATERIALIZED (
        SELECT id, external_subscription_id AS external_id, code FROM event_streams
        WHERE organization_id = :organization
          AND (CAST(:code AS text) IS NULL OR code = :code)
          AND (CAST(:subscription AS text) IS NULL OR external_subscription_id = :subscription)
    ),
    known AS MATERIALIZED (
        SELECT u.* FROM subscriptions u
        WHERE u.organization_id = :organization AND u.status IN ('pending', 'incomplete', 'active', 'terminated')
          AND u.external_id IN (SELECT external_id FROM asked)
    ),
    lives AS MATERIALIZED (
        SELECT u.id, u.external_id, u.plan_id, u.created_at, p.parent_id, p.created_at AS plan_created_at,
               least(s.starts, s.ends) AS starts, least(greatest(s.starts, u.counts_from), s.ends) AS counts_from, s.ends
        FROM known u JOIN plans p ON p.id = u.plan_id, LATERAL (
            -- Of the table, whose index has those of one external id together: a list is read anew for each.
            SELECT greatest(date_trunc('milliseconds', u.started_at), max(o.usage_ends_at)) AS starts,
                   coalesce(u.usage_ends_at, 'infinity') AS ends
            FROM subscriptions o
            WHERE o.organization_id = :organization AND o.external_id = u.external_id AND o.id <> u.id
              AND o.status IN ('pending', 'incomplete', 'active', 'terminated')
              AND (o.terminated_at <= u.started_at OR o.id = u.previous_subscription_id)
        ) s
        WHERE u.status IN ('active', 'terminated')
    ),
    whose AS MATERIALIZED (
        SELECT external_id, range_agg(tstzrange(lives.starts, lives.ends)) FILTER (WHERE lives.id IS NOT NULL) AS lived
        FROM (SELECT DISTINCT external_id FROM known) k LEFT JOIN lives USING (external_id) GROUP BY external_id
    ),
    metered AS MATERIALIZED (
        SELECT DISTINCT code FROM billable_metrics WHERE organization_id = :organization AND deleted_at IS NULL
    )
"""

# What charges have of a stream: (stream, metric, span, when its invoice became final; null while it is open).
# A charge that is as old as the subscription and still there needs no look at single windows. What a child plan took over
# from its parent was the parent's until then. Equal instants are told apart by the fee that there is.
_WHAT_COUNTS = f"""
    noted AS MATERIALIZED (
        SELECT event_id, stream_id, timestamp, created_at, bool_or(is_late) AS is_late
        FROM (
            SELECT event_id, stream_id, timestamp, created_at, false AS is_late FROM flawed_events
            UNION ALL SELECT event_id, stream_id, timestamp, created_at, true FROM late_events WHERE billed_from IS NULL
        ) n
        WHERE stream_id IN (SELECT id FROM asked) AND timestamp >= :earliest AND timestamp <= :latest
        GROUP BY event_id, stream_id, timestamp, created_at
    ),
    offers AS MATERIALIZED (
        SELECT a.id AS stream_id, l.id AS subscription_id, c.id AS charge_id, m.id AS metric_id, l.starts, l.ends,
               l.counts_from, c.created_at AS since, c.deleted_at AS until,
               m.recurring AND m.aggregation_type IN ('sum_agg', 'unique_count_agg', 'weighted_sum_agg') AS has_history,
               c.plan_id = l.plan_id AND c.deleted_at IS NULL AND m.deleted_at IS NULL AS is_live,
               CASE WHEN c.plan_id <> l.plan_id THEN l.plan_created_at END AS handed_over_at,
               c.plan_id <> l.plan_id OR c.deleted_at IS NOT NULL OR m.deleted_at IS NOT NULL
                   OR c.created_at > l.created_at OR a.id IN (SELECT stream_id FROM noted) AS needs_windows
        FROM asked a
        JOIN billable_metrics m ON m.organization_id = :organization AND m.code = a.code
        JOIN lives l ON l.external_id = a.external_id
        JOIN charges c ON c.billable_metric_id = m.id AND c.plan_id IN (l.plan_id, l.parent_id)
    ),
    finals AS MATERIALIZED (
        SELECT w.* FROM (SELECT DISTINCT subscription_id FROM offers WHERE needs_windows) o
        JOIN ({FINAL_WINDOWS}) w ON w.subscription_id = o.subscription_id
    ),
    open AS MATERIALIZED (
        SELECT o.subscription_id,
               tstzmultirange(tstzrange(o.counts_from, o.ends)) - coalesce(f.closed, '{{}}'::tstzmultirange) AS spans
        FROM (SELECT DISTINCT subscription_id, counts_from, ends FROM offers WHERE needs_windows) o
        LEFT JOIN (SELECT subscription_id, range_agg(during) AS closed FROM finals GROUP BY 1) f
            ON f.subscription_id = o.subscription_id
    ),
    pieces AS MATERIALIZED (
        SELECT stream_id, metric_id, finalized_at,
               CASE WHEN has_history AND NOT isempty(during) THEN tstzrange('-infinity', upper(during)) ELSE during END
                   AS during
        FROM (
            SELECT stream_id, metric_id, has_history, NULL::timestamptz AS finalized_at,
                   tstzrange(counts_from, ends) AS during
            FROM offers WHERE NOT needs_windows
            UNION ALL
            SELECT o.stream_id, o.metric_id, o.has_history, f.finalized_at, f.during
            FROM offers o JOIN finals f ON f.subscription_id = o.subscription_id
            WHERE o.needs_windows AND o.since <= f.finalized_at
              AND (o.handed_over_at IS NULL OR f.finalized_at < o.handed_over_at)
              AND (o.until IS NULL OR o.until > f.finalized_at
                   OR o.until = f.finalized_at AND EXISTS (
                       SELECT FROM fees WHERE fees.invoice_id = f.invoice_id AND fees.charge_id = o.charge_id))
            UNION ALL
            SELECT o.stream_id, o.metric_id, o.has_history, NULL, span
            FROM offers o JOIN open ON open.subscription_id = o.subscription_id, unnest(open.spans) AS span
            WHERE o.needs_windows AND o.is_live
        ) p
    ),
    covered AS MATERIALIZED (SELECT stream_id, range_agg(during) AS spans FROM pieces GROUP BY stream_id)
"""

_GAPS = """
    gaps AS MATERIALIZED (
        SELECT a.id AS stream_id, why.reason, span
        FROM asked a
        LEFT JOIN covered ON covered.stream_id = a.id
        LEFT JOIN (
            SELECT stream_id, range_agg(tstzrange(starts, ends)) AS spans FROM offers WHERE is_live GROUP BY stream_id
        ) offered ON offered.stream_id = a.id
        LEFT JOIN whose ON whose.external_id = a.external_id
        LEFT JOIN metered ON metered.code = a.code,
        LATERAL (
            SELECT metered.code IS NOT NULL AS has_metric, whose.external_id IS NOT NULL AS is_known, whose.lived,
                   '{(,)}'::tstzmultirange - coalesce(covered.spans, '{}'::tstzmultirange) AS spans
        ) rest,
        LATERAL (
            VALUES
            ('unknown_metric', CASE WHEN NOT has_metric THEN rest.spans END),
            ('unknown_subscription', CASE WHEN has_metric AND NOT is_known THEN rest.spans END),
            ('outside_subscription', CASE WHEN has_metric AND is_known THEN
                rest.spans - coalesce(rest.lived, '{}'::tstzmultirange) END),
            ('no_charge', CASE WHEN has_metric THEN
                rest.spans * rest.lived - coalesce(offered.spans, '{}'::tstzmultirange) END),
            ('too_late', CASE WHEN has_metric THEN rest.spans * rest.lived * offered.spans END)
        ) why (reason, spans),
        unnest(why.spans) AS span
        WHERE CAST(:reason AS text) IS NULL OR why.reason = :reason
    )
"""

# A fee in advance is made at once, however late its event is.
_HAS_PRICE = """
    EXISTS (SELECT FROM priced_events p WHERE p.event_id = e.id)
    OR EXISTS (SELECT FROM events_to_price w WHERE w.stream_id = e.stream_id AND w.event_id = e.id)
"""
_FOUND = f"""
    found AS MATERIALIZED (
        SELECT e.id, e.stream_id, e.timestamp, e.transaction_id, gaps.reason
        FROM gaps, LATERAL (
            -- Gap by gap by index, whatever the planner thinks of their number: it would read all events there are.
            SELECT id, stream_id, timestamp, transaction_id FROM events
            WHERE events.stream_id = gaps.stream_id
              AND events.timestamp >= greatest(lower(gaps.span), :earliest) AND events.timestamp <= :latest
              AND events.timestamp < coalesce(upper(gaps.span), 'infinity')
            OFFSET 0
        ) e
        WHERE NOT ({_HAS_PRICE})
        UNION ALL
        SELECT e.id, e.stream_id, e.timestamp, e.transaction_id, why.reason
        FROM (
            -- What is wrong with its property is told first, whether it came in time or not.
            SELECT n.event_id,
                   bool_or(f.event_id IS NULL
                           AND (p.finalized_at IS NULL OR p.finalized_at > n.created_at
                                OR p.finalized_at = n.created_at AND NOT n.is_late)) AS counts,
                   min(f.flaw) AS flaw
            FROM noted n
            JOIN pieces p ON p.stream_id = n.stream_id AND p.during @> n.timestamp
            LEFT JOIN flawed_events f ON f.event_id = n.event_id AND f.billable_metric_id = p.metric_id
            GROUP BY n.event_id
        ) verdict
        JOIN events_by_id e ON e.id = verdict.event_id AND e.stream_id > 0,
        LATERAL (SELECT coalesce(verdict.flaw, 'too_late') AS reason) why
        WHERE NOT verdict.counts AND NOT ({_HAS_PRICE})
          AND (CAST(:reason AS text) IS NULL OR why.reason = :reason)
        UNION ALL
        -- What is in no stream, for it came longer after its time than its organization wants (docs/decisions/0024).
        SELECT e.id, n.stream_id, n.timestamp, e.transaction_id, why.reason
        FROM late_events n JOIN asked a ON a.id = n.stream_id JOIN events_by_id e ON e.id = n.event_id AND e.stream_id < 0
        LEFT JOIN whose ON whose.external_id = a.external_id
        LEFT JOIN metered ON metered.code = a.code,
        LATERAL (
            SELECT CASE
                WHEN metered.code IS NULL THEN 'unknown_metric'
                WHEN whose.external_id IS NULL THEN 'unknown_subscription'
                WHEN whose.lived @> n.timestamp THEN 'too_late'
                ELSE 'outside_subscription' END AS reason
        ) why
        WHERE (n.is_waiting OR n.is_rejected) AND n.timestamp >= :earliest AND n.timestamp <= :latest
          AND (CAST(:reason AS text) IS NULL OR why.reason = :reason)
    )
"""
_UNMATCHED = f"WITH {_WHOSE}, {_WHAT_COUNTS}, {_GAPS}, {_FOUND}"

_PAGE = text(f"""
    {_UNMATCHED}
    SELECT (SELECT count(*) FROM found) AS total, page.*
    FROM (VALUES (1)) one
    LEFT JOIN LATERAL (
        SELECT id, reason FROM found ORDER BY timestamp DESC, transaction_id, id LIMIT :size OFFSET :offset
    ) page ON true
""")
_COUNTS = text(f"""
    {_UNMATCHED},
    counts AS MATERIALIZED (
        SELECT found.reason, asked.code, asked.external_id, count(*) AS events_count
        FROM found JOIN asked ON asked.id = found.stream_id GROUP BY 1, 2, 3
    )
    SELECT (SELECT count(*) FROM counts) AS total, page.*
    FROM (VALUES (1)) one
    LEFT JOIN LATERAL (
        SELECT * FROM counts ORDER BY events_count DESC, reason, code, external_id LIMIT :size OFFSET :offset
    ) page ON true
""")
_TOTAL: TextClause = text(f"{_UNMATCHED} SELECT count(*) FROM found")


@dataclass(frozen=True, slots=True)
class Found:
    """An event that counts nowhere."""

    event_id: UUID
    reason: UnmatchedReason


async def list_unmatched(
    tx: Tx, filters: Filters, reason: UnmatchedReason | None, page: Page
) -> tuple[Sequence[Found], int]:
    """A page of unmatched events, latest first, and how many there are."""
    rows = (await tx.execute(_PAGE, {**_bound(tx, filters, reason), **_slice(page)})).all()
    found = [Found(row.id, UnmatchedReason(row.reason)) for row in rows if row.id is not None]
    return found, int(rows[0].total)


async def count_by_stream(
    tx: Tx, filters: Filters, reason: UnmatchedReason | None, page: Page
) -> tuple[Sequence[UnmatchedCount], int]:
    """Unmatched events by reason, code and subscription, the most first, and how many such lines there are."""
    rows = (await tx.execute(_COUNTS, {**_bound(tx, filters, reason), **_slice(page)})).all()
    found = [
        UnmatchedCount(
            reason=UnmatchedReason(row.reason),
            code=row.code,
            external_subscription_id=row.external_id,
            events_count=row.events_count,
        )
        for row in rows
        if row.reason is not None
    ]
    return found, int(rows[0].total)


async def count_unmatched(tx: Tx, filters: Filters) -> int:
    """How many of the events are unmatched."""
    return int((await tx.execute(_TOTAL, _bound(tx, filters, None))).scalar_one())


def _slice(page: Page) -> dict[str, int]:
    return {"size": page.size, "offset": page.offset}


def _bound(tx: Tx, filters: Filters, reason: UnmatchedReason | None) -> dict[str, Any]:
    return {
        "organization": tx.organization_id,
        "code": filters.code,
        "subscription": filters.external_subscription_id,
        "earliest": filters.timestamp_from or FIRST_INSTANT,
        "latest": filters.timestamp_to or LAST_INSTANT,
        "reason": reason,
    }
