"""Passwords: hashed with Argon2id, as slowly for somebody unknown as for anybody else."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_A_TIME = 2
"""Each takes 64 MiB and a core: as many as come at once must not take them all."""

HASHER = PasswordHasher()
"""With the library's parameters, which are those that RFC 9106 recommends."""


class Passwords:
    """Hashes and compares, beside the event loop."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=AT_A_TIME, thread_name_prefix="passwords")
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """What is kept of a password."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, HASHER.hash, password)

    async def matches(self, kept: str | None, password: str) -> bool:
        """Whether a password is the one that was kept; where none was, it is compared all the same, in vain."""
        if self._nobodys is None:
            self._nobodys = await self.hash(secrets.token_hex())
        loop = asyncio.get_running_loop()
        is_right = await loop.run_in_executor(self._pool, _compare, kept or self._nobodys, password)
        return is_right and kept is not None

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def is_outdated(kept: str) -> bool:
    """Whether a hash is weaker than those that are made now."""
    return HASHER.check_needs_rehash(kept)


def _compare(kept: str, password: str) -> bool:
    try:
        return HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
