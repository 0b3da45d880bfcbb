"""What billing entities ask of the outside: keeping a picture."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from tallymark.rooms.billing_entities.model import Logo


class LogoStore(Protocol):
    """Keeps logos among an organization's files."""

    async def keep(self, organization_id: UUID, key: str, content: bytes) -> None:
        """Write a file of an organization."""


def logo_key(logo: Logo, digest: str) -> str:
    """Where a logo is kept: by its content, so that a request that fails replaces nothing."""
    return f"logos/{digest}.{logo.extension}"
