"""The law of what is added up in advance: samples of roll-ups are counted again."""

from tallymark.metering.folding import fold
from tallymark.rooms.audit.model import Law

# So many roll-ups, and of each so many hours: some that have parts, and some that have events.
_ROLLUPS, _HOURS, _EVENTS = 50, 24, 6

_SAMPLED = f"""
    sampled AS MATERIALIZED (
        SELECT DISTINCT r.id AS rollup_id, r.stream_id, h.hour,
               CASE r.aggregation_type WHEN 'unique_count_agg' THEN r.until ELSE h.hour + interval '1 hour' END AS until
        FROM (SELECT * FROM rollups WHERE built_at IS NOT NULL AND retired_at IS NULL ORDER BY random() LIMIT {_ROLLUPS}) r
        CROSS JOIN LATERAL (
            SELECT hour FROM (
                SELECT hour FROM (SELECT DISTINCT hour FROM rollup_parts WHERE rollup_id = r.id) hours
                ORDER BY random() LIMIT {_HOURS}
            ) parts
            UNION
            SELECT CASE r.aggregation_type WHEN 'unique_count_agg' THEN r.since
                   ELSE date_trunc('hour', picked.timestamp, 'UTC') END
            FROM (SELECT min(timestamp) AS first, max(timestamp) AS last FROM events WHERE stream_id = r.stream_id) life
            CROSS JOIN generate_series(1, {_EVENTS})
            CROSS JOIN LATERAL (
                SELECT timestamp FROM events
                WHERE stream_id = r.stream_id AND timestamp >= life.first + random() * (life.last - life.first)
                ORDER BY timestamp LIMIT 1
            ) picked
            WHERE picked.timestamp >= r.since AND picked.timestamp < r.until
        ) h
        -- Of what has left the database, sums may be there and events are not.
        WHERE NOT EXISTS (
            SELECT FROM archived_streams a
            WHERE a.stream_id = r.stream_id AND a.to_at > h.hour
              AND a.from_at < CASE r.aggregation_type WHEN 'unique_count_agg' THEN r.until
                              ELSE h.hour + interval '1 hour' END)
    )
"""
_SAMPLED_EVENTS = """(
    SELECT DISTINCT ON (x.id) x.* FROM sampled s
    JOIN events x ON x.stream_id = s.stream_id AND x.timestamp >= s.hour AND x.timestamp < s.until)
"""
_FIGURES = (
    "concat_ws(', ', {of}.events || ' events', 'total ' || trim_scale({of}.total), 'moment ' || trim_scale({of}.moment),"
    " 'amount ' || trim_scale({of}.amount), 'greatest ' || trim_scale({of}.greatest), 'last ' || CAST({of}.last AS text))"
)

ROLLUPS = (
    Law(
        name="rollups",
        says="What usage was added up to is what its events add up to: a sample is counted again.",
        holds=("rollup_parts events total moment amount greatest",),
        sql=f"""
            WITH {_SAMPLED}, counted AS (
                SELECT folded.* FROM ({fold(_SAMPLED_EVENTS, "r.built_at IS NOT NULL AND r.retired_at IS NULL")}) folded
                JOIN sampled USING (rollup_id, hour)
            ), kept AS (
                SELECT p.rollup_id, p.hour, p.place, sum(p.events) AS events, sum(p.total) AS total, sum(p.moment) AS moment,
                       sum(p.amount) AS amount, max(p.greatest) AS greatest, max(p.last) AS last
                FROM rollup_parts p JOIN sampled USING (rollup_id, hour) GROUP BY p.rollup_id, p.hour, p.place
                -- What was voided leaves a part of nothing.
                HAVING sum(p.events) <> 0 OR sum(p.total) <> 0 OR sum(p.moment) <> 0 OR sum(p.amount) <> 0
            )
            SELECT 'roll-up ' || r.id || ' (' || r.aggregation_type || ' of ' || s.code || ' of subscription '
                       || s.external_subscription_id || '), ' || found.hour AS place,
                   found.expected, found.found
            FROM (
                SELECT rollup_id, hour, coalesce({_FIGURES.format(of="c")}, '') AS expected,
                       coalesce({_FIGURES.format(of="k")}, '') AS found
                FROM counted c FULL JOIN kept k USING (rollup_id, hour, place)
            ) found
            JOIN rollups r ON r.id = found.rollup_id JOIN event_streams s ON s.id = r.stream_id
            WHERE found.expected <> found.found
        """,
    ),
)
