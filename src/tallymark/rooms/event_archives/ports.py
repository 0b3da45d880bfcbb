"""What archives ask of the outside: a format for their files, and a place that keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from tallymark.rooms.event_archives.model import ArchivedEvent


class ArchiveFormat(Protocol):
    """Writes events to a file, and reads them from it."""

    suffix: str

    def write(self, path: Path, chunks: Iterable[Sequence[ArchivedEvent]]) -> None:
        """Write a file of one chunk after another, without having all of them in memory."""

    def read(self, path: Path) -> Iterator[list[ArchivedEvent]]:
        """What a file holds, chunk by chunk."""


class ArchiveStore(Protocol):
    """Keeps files by key."""

    async def put_file(self, key: str, path: Path) -> None:
        """Write a file that lies somewhere else, over one of the same key, without having all of it in memory."""

    async def fetch_file(self, key: str, path: Path) -> bool:
        """Write a kept file to a path, without having all of it in memory; False where there is none."""
