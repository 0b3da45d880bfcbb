"""How events are added up into the parts of roll-ups: one statement text for flushes, for building, and for the audit."""

from __future__ import annotations

from typing import LiteralString

NUMBERS: LiteralString = r"'^-?[0-9]+(\.[0-9]+)?$'"
"""What reads as a number (metering §5.2)."""

COLUMNS: LiteralString = "rollup_id, hour, place, organization_id, properties, value, events, total, moment, amount, greatest, last"

FED: LiteralString = "r.version IS NOT NULL AND r.declined_at IS NULL AND r.retired_at IS NULL"
"""Which roll-ups take what comes in."""

_FOLD: LiteralString = """
    SELECT rollup_id, hour, CAST(md5(CAST(ROW(texts, value) AS text)) AS uuid) AS place, organization_id,
           jsonb_strip_nulls(jsonb_object(dimensions, texts)) AS properties, value,
           events, total, moment, amount, greatest, last
    FROM (
        SELECT r.id AS rollup_id, r.organization_id, r.dimensions, t.hour, d.texts, n.value, count(*) AS events,
               sum(n.number) FILTER (WHERE r.aggregation_type IN ('sum_agg', 'weighted_sum_agg')) AS total,
               sum(n.number * extract(epoch FROM e.timestamp - t.hour))
                   FILTER (WHERE r.aggregation_type = 'weighted_sum_agg') AS moment,
               sum(e.precise_total_amount_cents) FILTER (WHERE r.aggregation_type = 'sum_agg') AS amount,
               max(n.number) FILTER (WHERE r.aggregation_type = 'max_agg') AS greatest,
               -- The latest, whole: arrays are compared from their beginning.
               max(ARRAY[
                   to_char(e.timestamp AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') COLLATE "C",
                   to_char(coalesce(e.occurred_at, e.timestamp) AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS'),
                   to_char(e.created_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS'), CAST(e.id AS text),
                   CAST(n.number AS text), e.properties ->> 'operation_type'
               ]) FILTER (WHERE r.aggregation_type IN ('latest_agg', 'unique_count_agg')) AS last
        FROM {events} e
        JOIN rollups r ON r.stream_id = e.stream_id AND e.timestamp >= r.since AND e.timestamp < r.until AND {which}
        CROSS JOIN LATERAL (
            SELECT CASE r.aggregation_type WHEN 'unique_count_agg' THEN r.since
                   ELSE date_trunc('hour', e.timestamp, 'UTC') END AS hour
        ) t
        CROSS JOIN LATERAL (
            SELECT CASE WHEN cardinality(r.dimensions) = 0 THEN CAST('{{}}' AS text[])
                   ELSE ARRAY(SELECT e.properties ->> name FROM unnest(r.dimensions) name) END AS texts
        ) d
        CROSS JOIN LATERAL (
            SELECT CASE r.aggregation_type WHEN 'unique_count_agg' THEN e.properties ->> r.field_name END AS value,
                   CASE WHEN r.aggregation_type IN ('count_agg', 'unique_count_agg') THEN NULL
                        WHEN e.properties ->> r.field_name ~ {numbers}
                        THEN CAST(e.properties ->> r.field_name AS numeric) END AS number
        ) n
        WHERE CASE r.aggregation_type
              WHEN 'count_agg' THEN true
              WHEN 'unique_count_agg' THEN btrim(coalesce(n.value, '')) <> ''
              ELSE n.number IS NOT NULL END
        GROUP BY r.id, t.hour, d.texts, n.value
    ) f
"""


def fold(events: LiteralString, which: LiteralString) -> LiteralString:
    """The parts that events come to, of the roll-ups `r` of their streams that a condition chooses.

    `events` is a table, or a query in brackets, with the events' columns.
    """
    return _FOLD.format(events=events, which=which, numbers=NUMBERS)


ADD: LiteralString = """
    ON CONFLICT (rollup_id, hour, place, is_base) DO UPDATE SET
        events = p.events + EXCLUDED.events, total = p.total + EXCLUDED.total, moment = p.moment + EXCLUDED.moment,
        amount = coalesce(p.amount + EXCLUDED.amount, p.amount, EXCLUDED.amount),
        greatest = greatest(p.greatest, EXCLUDED.greatest), last = greatest(p.last, EXCLUDED.last)
"""
"""What a flush does where the part is there."""
