"""What an organization may have: rooms ask before they make one more, and whoever knows the limits answers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:  # settings name limits, and answer at once
    from tallymark.db.engine import Connection


class Limit(StrEnum):
    """What there may be so much of; the first two are held where events come in, before they are taken."""

    EVENTS_PER_MINUTE = "events_per_minute"
    EVENTS_PER_MONTH = "events_per_month"
    MEMBERS = "members"
    API_KEYS = "api_keys"
    EXPORTS_UNDER_WAY = "exports_under_way"


class TenantLimits(Protocol):
    """Knows how much an organization may have, and how much it has."""

    async def check(
        self, connection: Connection, organization_id: UUID, limit: Limit, *, now: datetime
    ) -> None:
        """Let one more be made in this transaction, and nobody else make one meanwhile.

        Raises `Invalid` with `exceeded_limit` on `base` where there are as many as there may be.
        """
