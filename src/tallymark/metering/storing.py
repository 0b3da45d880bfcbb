"""What the intake tells the database, and the shape in which events go there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import LiteralString
from uuid import UUID

import msgspec

from tallymark.metering.columns import Column, Documents, Instants, Integers, Texts, Uuids
from tallymark.metering.folding import ADD, COLUMNS, FED, fold

_ROWS: LiteralString = """
    SELECT id, stream_id, timestamp, created_at, organization_id, transaction_id, properties,
           amount::numeric(40, 15) AS precise_total_amount_cents, NULL::timestamptz AS occurred_at,
           nullif(coalesce(sender_id, %(sender)b::bigint), 0) AS sender_id
    FROM unnest(%(ids)b::uuid[], %(streams)b::bigint[], %(timestamps)b::timestamptz[], %(created)b::timestamptz[],
                %(organizations)b::uuid[], %(transactions)b::text[], %(properties)b::jsonb[], %(amounts)b::text[],
                %(senders)b::bigint[])
      AS e(id, stream_id, timestamp, created_at, organization_id, transaction_id, properties, amount, sender_id)
"""
_COLUMNS: LiteralString = "id, stream_id, timestamp, created_at, organization_id, transaction_id, properties, precise_total_amount_cents, sender_id"
# Stores nothing where the rules have changed since `version`; while it stores, they don't change. Whose key is there already is not
# stored again. Keys are taken in their own order, before anything else that others may hold: no two flushes wait for each other.
_STORE: LiteralString = f"""
    WITH rows AS MATERIALIZED ({_ROWS}),
         stored AS (
             INSERT INTO event_keys (id, organization_id, stream_id, timestamp)
             SELECT id, organization_id, stream_id, timestamp FROM rows WHERE (SELECT tallymark_hold_rules(%(version)b))
             ORDER BY id
             ON CONFLICT DO NOTHING
             RETURNING id
         ),
         kept AS (INSERT INTO events ({_COLUMNS}) SELECT {_COLUMNS} FROM rows JOIN stored USING (id))
"""
# Which were stored is told only where some were not.
_ANSWER: LiteralString = (
    "SELECT CASE WHEN count(*) < %(count)b::bigint THEN coalesce(array_agg(id), '{}') END FROM stored"
)
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
# marks the subscriptions whose usage somebody watches (docs/decisions/0007),
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
# and adds them to the roll-ups of their streams (docs/decisions/0018), in one order, so that no two flushes wait for each other.
_ROLLED: LiteralString = f""",
         rolled AS (
             INSERT INTO rollup_parts AS p ({COLUMNS}, is_base)
             SELECT *, false FROM ({fold("(SELECT rows.* FROM rows JOIN stored USING (id))", FED)}) folded
             ORDER BY rollup_id, hour, place
             {ADD}
         )
"""
# What came longer after its time than its organization wants is in no stream yet, its stream's number being turned below
# zero: it waits to be judged (docs/decisions/0024).
_LATE: LiteralString = """,
         late AS (
             INSERT INTO late_events (organization_id, event_id, stream_id, timestamp, created_at, is_waiting)
             SELECT organization_id, id, -stream_id, timestamp, created_at, true
             FROM rows JOIN stored USING (id) WHERE stream_id < 0
         )
"""


def _statement(*, is_noted: bool, is_marked: bool, is_rolled: bool, is_late: bool) -> LiteralString:
    beside: LiteralString = (
        (_NOTED if is_noted else "")
        + (_MARKED if is_marked else "")
        + (_ROLLED if is_rolled else "")
        + (_LATE if is_late else "")
    )
    return f"{_STORE}{beside} {_ANSWER}"


STATEMENTS: dict[tuple[bool, ...], LiteralString] = {
    kind: _statement(is_noted=kind[0], is_marked=kind[1], is_rolled=kind[2], is_late=kind[3])
    for kind in product((False, True), repeat=4)
}
"""By whether something is to be priced, somebody may be watching, a stream is rolled up, and something came too late."""
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


class Row(msgspec.Struct, frozen=True):
    """An event to store: its key, its stream, and the JSON of its properties as it came."""

    id: UUID
    organization_id: UUID
    external_subscription_id: str
    code: str
    transaction_id: str
    timestamp: datetime
    created_at: datetime
    properties: msgspec.Raw
    precise_total_amount_cents: str | None


def sender_of_all(sender: int) -> Mapping[str, Column | int]:
    """Who sent all the rows (0 for nobody), as the statements take it: the column is empty, which costs nothing for each row."""
    return {"sender": sender, "senders": Integers.of(())}


def senders_of(counted: Sequence[tuple[int, int]]) -> Mapping[str, Column | int]:
    """Whose the rows are, as the statements take it, from the sender of so many rows after another (0 for nobody)."""
    return {
        "sender": 0,
        "senders": Integers.of([sender for sender, count in counted for _ in range(count)]),
    }


def columns_of(rows: Sequence[Row], streams: Sequence[int]) -> Mapping[str, Column]:
    """Rows, each in its stream, as the statements take them."""
    return {
        "ids": Uuids.of([row.id for row in rows]),
        "streams": Integers.of(streams),
        "timestamps": Instants.of([row.timestamp for row in rows]),
        "created": Instants.of([row.created_at for row in rows]),
        "organizations": Uuids.of([row.organization_id for row in rows]),
        "transactions": Texts.of([row.transaction_id for row in rows]),
        "properties": Documents.of([row.properties for row in rows]),
        "amounts": Texts.of([row.precise_total_amount_cents for row in rows]),
    }
