"""What the intake tells the database, and the shape in which events go there."""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString
from uuid import UUID

import msgspec

# Stores nothing where the codes that are priced as they come in have changed since `version`.
STORE: LiteralString = """
    INSERT INTO events (id, stream_id, timestamp, created_at, organization_id, transaction_id, properties,
                        precise_total_amount_cents)
    SELECT i, s, t, c, o, x, p, a
    FROM json_to_recordset(%(records)t::json)
      AS e(i uuid, s bigint, t timestamptz, c timestamptz, o uuid, x text, p jsonb, a numeric)
    WHERE (SELECT value FROM versions WHERE name = 'advance_codes') = %(version)b
    ON CONFLICT DO NOTHING
    RETURNING id
"""
# Beside it, puts those of such codes on the list of events to price,
_NOTED: LiteralString = """,
         noted AS (
             INSERT INTO events_to_price (organization_id, event_id, stream_id)
             SELECT e.o, e.i, e.s
             FROM ROWS FROM (json_to_recordset(%(noted)t::json) AS (o uuid, i uuid, s bigint))
                  WITH ORDINALITY AS e(o, i, s, position)
             JOIN stored ON stored.id = e.i
             ORDER BY e.position
         )
"""
# and marks the subscriptions whose usage somebody watches (docs/decisions/0007).
_MARKED: LiteralString = """,
         marked AS (
             INSERT INTO usage_marks (organization_id, customer_id, subscription_id)
             SELECT w.organization_id, w.customer_id, w.subscription_id
             FROM json_to_recordset(%(marked)t::json) AS e(o uuid, s text),
                  -- One look into the index for each, however many are watched.
                  LATERAL (SELECT * FROM watched_subscriptions
                           WHERE organization_id = e.o AND external_subscription_id = e.s LIMIT 1) w
             WHERE EXISTS (SELECT FROM stored)
         )
"""
_WITH: LiteralString = f"WITH stored AS ({STORE})"
_STORED: LiteralString = "SELECT id FROM stored"
STATEMENTS: dict[tuple[bool, bool], LiteralString] = {
    (False, False): STORE,
    (True, False): f"{_WITH}{_NOTED}{_STORED}",
    (False, True): f"{_WITH}{_MARKED}{_STORED}",
    (True, True): f"{_WITH}{_NOTED}{_MARKED}{_STORED}",
}
"""By whether something is to be priced, and whether somebody may be watching."""
ADD_STREAMS: LiteralString = """
    INSERT INTO event_streams (organization_id, external_subscription_id, code)
    SELECT o, s, c FROM json_to_recordset(%t::json) AS e(o uuid, s text, c text)
    ON CONFLICT DO NOTHING
"""
FIND_STREAMS: LiteralString = """
    SELECT s.organization_id, s.external_subscription_id, s.code, s.id
    FROM json_to_recordset(%t::json) AS e(o uuid, s text, c text)
    JOIN event_streams s ON s.organization_id = e.o AND s.external_subscription_id = e.s AND s.code = e.c
"""


class Record(msgspec.Struct):
    """A row as the statement reads it; short names, for they are repeated in every row."""

    i: UUID
    s: int
    t: datetime
    c: datetime
    o: UUID
    x: str
    p: msgspec.Raw
    a: str | None
