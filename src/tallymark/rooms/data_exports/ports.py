"""What exports ask of the outside: keeping their files, and telling that they are there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Protocol


class FileStore(Protocol):
    """Keeps files by key."""

    async def put_file(self, key: str, path: Path) -> None:
        """Write a file that lies somewhere else, over one of the same key, without having all of it in memory."""

    async def delete(self, key: str) -> None:
        """Delete a file; one that is not there is no error."""


class Messenger(Protocol):
    """Sends short e-mails."""

    async def bring_export(
        self, *, email: str, url: str, file_name: str, rows: int, lasts: timedelta
    ) -> None:
        """Send the link to a file. Raises `NotTaken`, and nothing where nobody knows whether it was taken."""
