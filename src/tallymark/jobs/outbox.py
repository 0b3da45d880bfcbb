"""The outbox: what happened that the outside may want to know, noted in the transaction that made it happen.

A message names the object and leaves its body to whoever delivers it; only what no row can tell carries a payload.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.bulk import insert_rows
from tallymark.db.engine import Tx
from tallymark.db.tables import outbox
from tallymark.domain.values import value


@value
class Message:
    """A webhook to be: its type ("plan.created"), and the object it speaks of ("plan")."""

    webhook_type: str
    object_type: str
    object_id: UUID | None
    payload: Mapping[str, Any] | None = None


async def emit(tx: Tx, *messages: Message, now: datetime) -> None:
    """Note messages, in this order; they exist once the transaction commits."""
    rows = [
        {
            "organization_id": tx.organization_id,
            "webhook_type": message.webhook_type,
            "object_type": message.object_type,
            "object_id": message.object_id,
            "payload": None if message.payload is None else dict(message.payload),
            "created_at": now,
        }
        for message in messages
    ]
    await insert_rows(tx, outbox, rows)
