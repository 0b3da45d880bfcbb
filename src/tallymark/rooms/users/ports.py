"""What users ask of the outside: somebody who brings them a link."""

from __future__ import annotations

from typing import Protocol


class Messenger(Protocol):
    """Brings people what only they may have."""

    async def bring_reset(self, *, email: str, url: str) -> None:
        """Send somebody the link with which they set another password. Raises an error where it may be tried again."""
