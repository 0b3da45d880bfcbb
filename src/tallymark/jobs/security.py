"""The security log: who changed what lets somebody in, or where something goes; noted in the transaction that did it (platform §10.3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Actor, Tx
from tallymark.db.ids import new_id
from tallymark.db.tables import security_logs
from tallymark.domain.redaction import without_keys
from tallymark.jobs.activity import Changes

EVENTS = frozenset(
    f"{of}.{what}"
    for of, words in {
        "api_key": "created deleted rotated updated",
        "billing_entity": "created updated",
        "export": "created",
        "integration": "created deleted updated",
        "organization": "updated",
        "role": "created deleted updated",
        "user": "deleted new_device_logged_in invited password_edited password_reset_requested role_edited signed_up"
        " invite_revoked",
        "webhook_endpoint": "created deleted updated",
    }.items()
    for what in words.split()
)
"""What is noted: the list of §10.3, and what it leaves out that somebody may do (docs/differences.md)."""

TYPES = frozenset(event.split(".")[0] for event in EVENTS)


async def record(
    tx: Tx, event: str, resources: Mapping[str, Any], *, now: datetime, api_key_id: UUID | None = None
) -> None:
    """Note an event; `resources` says what it was about. The key is the one that was used, unless another is named."""
    row = _row(tx.organization_id, event, resources, actor=tx.actor, now=now)
    await tx.execute(insert(security_logs), {**row, "api_key_id": api_key_id or row["api_key_id"]})


async def record_in_each(
    connection: AsyncConnection,
    organizations: Mapping[UUID, datetime],
    event: str,
    resources: Mapping[str, Any],
    *,
    actor: Actor | None,
) -> None:
    """Note what concerns several organizations, by the now of each; needs a system transaction."""
    rows = [_row(one, event, resources, actor=actor, now=now) for one, now in organizations.items()]
    if rows:
        await connection.execute(insert(security_logs), rows)


def _row(
    organization_id: UUID,
    event: str,
    resources: Mapping[str, Any],
    *,
    actor: Actor | None,
    now: datetime,
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "organization_id": organization_id,
        "api_key_id": actor.api_key_id if actor else None,
        "user_id": actor.user_id if actor else None,
        "user_email": actor.user_email if actor else None,
        "log_type": event.split(".")[0],
        "log_event": event,
        "resources": without_keys(json.dumps(resources)),
        "user_agent": actor.user_agent if actor else None,
        "ip_address": actor.ip_address if actor else None,
        "logged_at": now,
        "created_at": now,
    }


def deletions_and_additions(changes: Changes) -> dict[str, dict[str, Any]]:
    """Changes as this log shows them.

    >>> deletions_and_additions({"name": ["Old", "New"]})
    {'name': {'deleted': 'Old', 'added': 'New'}}
    """
    return {name: {"deleted": was, "added": is_now} for name, (was, is_now) in changes.items()}
