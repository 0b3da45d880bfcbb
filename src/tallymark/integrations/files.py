"""Files by obstore: a local folder by default, S3, GCS or Azure by URL."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, ObjectStore, from_url

from tallymark.db.errors import StartupError

REFUSALS = (PermissionDeniedError, UnauthenticatedError)
"""What is raised by a store that lets whoever asks do nothing, or not this."""


def open_store(url: str | None, options: Mapping[str, Any], *, folder: Path) -> ObjectStore:
    """The store that a URL names, opened with options of its kind, or a folder, made if it is missing.

    Raises `StartupError` for a URL that names none.
    """
    if url is not None:
        try:
            return from_url(url, **options)
        except (BaseError, ValueError, OSError) as error:
            raise StartupError(f"documents can't be kept at {url}: {str(error).splitlines()[0]}") from error
    folder.mkdir(parents=True, exist_ok=True)
    return LocalStore(folder, automatic_cleanup=True)


async def list_keys(store: ObjectStore) -> list[str]:
    """The keys of all files of a store, in their order."""
    return await asyncio.to_thread(lambda: sorted(one["path"] for part in store.list() for one in part))


class StoredFiles:
    """Implements `rooms.invoices.ports.FileStore` and `rooms.data_exports.ports.FileStore`.

    By threads: the library's own coroutines end in threads that still hold Python's objects when a short command ends, which
    aborts it.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, key: str, content: bytes) -> None:
        """Write a file, over one of the same key."""
        await asyncio.to_thread(self._store.put, key, content)

    async def put_file(self, key: str, path: Path) -> None:
        """Write a file that lies somewhere else, over one of the same key; a large one in parts."""
        await asyncio.to_thread(self._store.put, key, path)

    async def delete(self, key: str) -> None:
        """Delete a file, if it is there."""
        with suppress(NotFoundError, FileNotFoundError):
            await asyncio.to_thread(self._store.delete, key)

    async def fetch_file(self, key: str, path: Path) -> bool:
        """Write a file to a path, part by part; False when there is none."""
        return await asyncio.to_thread(self._fetch, key, path)

    def _fetch(self, key: str, path: Path) -> bool:
        try:
            found = self._store.get(key)
        except (NotFoundError, FileNotFoundError):
            return False
        with path.open("wb") as file:
            for part in found.stream():
                file.write(part)
        return True

    async def get(self, key: str) -> bytes | None:
        """Read a file; None when there is none."""
        try:
            found = await asyncio.to_thread(self._store.get, key)
        except (NotFoundError, FileNotFoundError):
            return None
        return bytes(await asyncio.to_thread(found.bytes))
