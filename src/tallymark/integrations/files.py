"""Files by obstore: a local folder by default, S3, GCS or Azure by URL."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url


def open_store(url: str | None, options: Mapping[str, Any], *, folder: Path) -> ObjectStore:
    """The store that a URL names, opened with options of its kind, or a folder, made if it is missing."""
    if url is not None:
        return from_url(url, **options)
    folder.mkdir(parents=True, exist_ok=True)
    return LocalStore(folder, automatic_cleanup=True)


async def list_keys(store: ObjectStore) -> list[str]:
    """The keys of all files of a store, in their order."""
    found = [one["path"] async for part in store.list() for one in part]
    return sorted(found)


class StoredFiles:
    """Implements `rooms.invoices.ports.FileStore` and `rooms.data_exports.ports.FileStore`."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, key: str, content: bytes) -> None:
        """Write a file, over one of the same key."""
        await self._store.put_async(key, content)

    async def put_file(self, key: str, path: Path) -> None:
        """Write a file that lies somewhere else, over one of the same key; a large one in parts."""
        await self._store.put_async(key, path)

    async def delete(self, key: str) -> None:
        """Delete a file, if it is there."""
        with suppress(NotFoundError, FileNotFoundError):
            await self._store.delete_async(key)

    async def fetch_file(self, key: str, path: Path) -> bool:
        """Write a file to a path, part by part; False when there is none."""
        try:
            found = await self._store.get_async(key)
        except (NotFoundError, FileNotFoundError):
            return False
        with path.open("wb") as file:
            async for part in found.stream():
                file.write(part)
        return True

    async def get(self, key: str) -> bytes | None:
        """Read a file; None when there is none."""
        try:
            found = await self._store.get_async(key)
        except (NotFoundError, FileNotFoundError):
            return None
        return bytes(await found.bytes_async())
