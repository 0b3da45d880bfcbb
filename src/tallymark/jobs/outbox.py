"""The outbox: what happened that the outside may want to know, noted in the transaction that made it happen.

A message names the object and leaves its body to whoever delivers it; only what no row can tell carries a payload. Of what belongs
into the activity log an entry is noted in the same breath.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.bulk import insert_rows
from tallymark.db.engine import Tx
from tallymark.db.tables import outbox
from tallymark.jobs import activity, tracing
from tallymark.jobs.activity import Activity, Changes, Doer


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A webhook to be: its type ("plan.created"), and the object it speaks of ("plan").

    Of an update, `changes` has what it changed. What is logged and not told to the outside has an `activity_type` alone; its payload
    is what the log shows, of what no row can tell.
    """

    object_type: str
    object_id: UUID | None
    webhook_type: str | None = None
    activity_type: str | None = None
    payload: Mapping[str, Any] | None = None
    changes: Changes = field(default_factory=dict)
    doer: Doer | None = None
    """Whom the log names, unless it is who is at work in the transaction."""

    @property
    def logged_as(self) -> str | None:
        """The type of its entry in the activity log; None where it has none."""
        if self.activity_type is None and self.webhook_type in activity.TYPES:
            return self.webhook_type
        return self.activity_type


async def emit(tx: Tx, *messages: Message, now: datetime) -> None:
    """Note messages, in this order; they exist once the transaction commits. They belong to the trace of what emits them."""
    trace = tracing.current.get()
    rows = [
        {
            "organization_id": tx.organization_id,
            "webhook_type": message.webhook_type,
            "object_type": message.object_type,
            "object_id": message.object_id,
            "payload": None if message.payload is None else dict(message.payload),
            "created_at": now,
            "traceparent": trace,
        }
        for message in messages
        if message.webhook_type is not None
    ]
    await insert_rows(tx, outbox, rows)
    await activity.log(tx, _activities(messages), now=now)


async def log_alone(
    tx: Tx, activity_type: str, *object_ids: UUID, now: datetime, changed: Changes | None = None
) -> None:
    """Log what the outside is told nothing of: that something was made, changed ("tax.updated") or deleted."""
    kind = activity_type.split(".")[0]
    messages = [
        Message(activity_type=activity_type, object_type=kind, object_id=one, changes=changed or {})
        for one in object_ids
    ]
    await emit(tx, *messages, now=now)


async def log_change(tx: Tx, activity_type: str, object_id: UUID, changed: Changes, *, now: datetime) -> None:
    """Log what changed something ("invoice.updated") of which the outside is told nothing; what changed nothing leaves no trace."""
    if changed:
        await log_alone(tx, activity_type, object_id, now=now, changed=changed)


def _activities(messages: Sequence[Message]) -> Iterator[Activity]:
    for message in messages:
        if message.logged_as is not None and message.object_id is not None:
            is_logged_alone = message.webhook_type is None and message.payload is not None
            yield Activity(
                activity_type=message.logged_as,
                object_id=message.object_id,
                changes=message.changes,
                logged_on=message.object_type if is_logged_alone else None,
                shown=message.payload if is_logged_alone else None,
                doer=message.doer,
            )
