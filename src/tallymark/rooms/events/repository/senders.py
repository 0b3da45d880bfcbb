"""Who sent events: noted beside the fast lane, read, and forgotten by months (docs/decisions/0046)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Tx
from tallymark.db.tables import event_senders, events_by_id
from tallymark.metering.senders import Sender, month_of

_FORGET = text("""
    DELETE FROM event_senders s USING organizations o LEFT JOIN test_clocks c ON c.organization_id = o.id
    WHERE s.organization_id = o.id
      AND s.month < date_trunc('month', coalesce(c.frozen_time, CAST(:now AS timestamptz)) AT TIME ZONE 'UTC')
                    - CAST(:months AS integer) * interval '1 month'
""")


class SentBy(NamedTuple):
    """Who sent an event that there is, None where that is not kept."""

    sender: Sender | None


async def find_sender(tx: Tx, event_id: UUID) -> SentBy | None:
    """Who sent an event, None where there is none of that id."""
    statement = (
        select(event_senders.c.ip_address, event_senders.c.client)
        .select_from(events_by_id.outerjoin(event_senders, event_senders.c.id == events_by_id.c.sender_id))
        .where(events_by_id.c.id == event_id)
    )
    row = (await tx.execute(statement)).first()
    if row is None:
        return None
    return SentBy(None if row.client is None else Sender(row.ip_address, row.client))


async def note_sender(tx: Tx, sender: Sender, *, now: datetime) -> int:
    """The number of a sender in the month of an instant, made where there is none."""
    asked = {"month": month_of(now), **sender._asdict()}
    made = insert(event_senders).values(organization_id=tx.organization_id, **asked)
    await tx.execute(made.on_conflict_do_nothing())
    # By a statement of its own, which sees what another one has just made.
    named = select(event_senders.c.id).filter_by(organization_id=tx.organization_id, **asked)
    return int((await tx.execute(named)).scalar_one())


async def delete_senders(connection: AsyncConnection, *, now: datetime, months: int) -> None:
    """Forget those of all organizations that sent nothing in the last full months, each by its own clock."""
    await connection.execute(_FORGET, {"now": now, "months": months})
