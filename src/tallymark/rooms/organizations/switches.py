"""Switches that staff turn for one organization: each holds back something that the installation does for it (decision 41)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.engine import Tx
from tallymark.rooms.organizations import repository


class Switch(StrEnum):
    """What is held back while it is on."""

    HOLD_WEBHOOKS = "hold_webhooks"
    MUTE_EMAILS = "mute_emails"
    TURN_EVENTS_AWAY = "turn_events_away"


MEANINGS: Mapping[Switch, str] = {
    Switch.HOLD_WEBHOOKS: "Webhooks wait until it is off",
    Switch.MUTE_EMAILS: "E-mails with documents are skipped",
    Switch.TURN_EVENTS_AWAY: "Events are to be sent again later (429)",
}


async def turn(
    connection: AsyncConnection, organization_id: UUID, switch: Switch, *, is_on: bool, now: datetime
) -> bool:
    """Turn a switch on or off; False where it was so already. Needs a system transaction."""
    if is_on:
        return await repository.insert_switch(connection, organization_id, switch, now=now)
    return await repository.delete_switch(connection, organization_id, switch)


async def is_on(tx: Tx, switch: Switch) -> bool:
    """Whether a switch is on for the organization."""
    return await repository.has_switch(tx, switch)
