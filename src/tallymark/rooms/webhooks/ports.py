"""What webhooks ask of the outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tallymark.rooms.webhooks.model import Answer


class Post(Protocol):
    """Sends a body to a user's URL."""

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send it once; whatever goes wrong on the way is an answer without a status."""
