"""What providers send: kept once it is verified, then heard as due work, and forgotten some time after (wallets-and-payments §12.1)."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.rooms.payment_providers import repository
from tallymark.rooms.payment_providers.model import ProviderEvent

SUCCEEDED = "succeeded"


async def keep_event(tx: Tx, connection_id: UUID, body: bytes, *, now: datetime) -> UUID:
    """Keep what a connection's provider has sent, and have it heard; its id.

    The same body again is the same event: it is heard once more only where that has not gone well yet, and while it waits for that, or is
    being heard, nothing is added to what is to be done.
    """
    event_id, digest = new_id(), hashlib.sha256(body).digest()
    values = {
        "id": event_id,
        "organization_id": tx.organization_id,
        "payment_provider_id": connection_id,
        "digest": digest,
        "body": body,
        "created_at": now,
    }
    if not await repository.insert_event(tx, values):
        known = await repository.get_event_of(tx, connection_id, digest)
        if known.status == SUCCEEDED:
            return known.id
        event_id = known.id
    # Its own owner: while what it tells of is looked up, nobody's billing waits.
    item = Item(kind=Kind.HEAR_PROVIDER, subject_id=event_id, owner_id=event_id, due_at=now)
    await agenda.leave_once(tx, item)
    return event_id


async def get_event(tx: Tx, event_id: UUID) -> ProviderEvent | None:
    """What was sent; None once it is forgotten."""
    return await repository.find_event(tx, event_id)


async def note_event(tx: Tx, event_id: UUID, *, error: str | None, now: datetime) -> None:
    """Note that an event is understood, or what kept it from being."""
    status = SUCCEEDED if error is None else "failed"
    await repository.update_event(tx, event_id, {"status": status, "error": error, "processed_at": now})


async def is_simulated(tx: Tx) -> bool:
    """Whether the organization that a provider names has a test clock."""
    return await repository.has_clock(tx)
