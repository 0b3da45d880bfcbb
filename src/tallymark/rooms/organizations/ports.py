"""What the organization's own page asks of rooms above it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from tallymark.db.engine import Tx


class WebhookUrls(Protocol):
    """Where an organization hears of what happens."""

    async def list_urls(self, tx: Tx) -> list[str]:
        """The URLs of its endpoints, the oldest first."""

    async def set_first_url(self, tx: Tx, url: str, *, now: datetime) -> None:
        """Give the oldest endpoint another URL, or make one. Raises `Invalid`."""
