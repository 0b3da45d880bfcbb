"""Guessers are kept out: tries are counted before they are looked at, for each address, each caller, and both together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.domain.errors import TooMany
from tallymark.rooms.users import repository

WINDOW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many tries there are within a window: of one caller at one address, at an address, and of a caller."""

    both: int
    address: int
    caller: int


LOGIN = Limits(both=10, address=100, caller=100)
"""Whoever guesses at somebody's password from elsewhere does not lock them out, unless from ten places at once."""

RESET = Limits(both=5, address=5, caller=50)
"""So many e-mails somebody may be sent that they did not ask for."""

DOOR = Limits(both=50, address=50, caller=50)
"""For what has no address: a token that somebody guesses, an organization that somebody makes."""


async def count(
    connection: AsyncConnection, limits: Limits, *, what: str, address: str, caller: str | None, now: datetime
) -> TooMany | None:
    """Count a try, whatever comes of it; returns what one beyond the limits is refused with, once the count is committed."""
    limit_of = _buckets(limits, what, address, caller)
    found = await repository.count_guesses(connection, list(limit_of), now=now, until=now + WINDOW)
    over = [(limit_of[bucket], until) for bucket, (tries, until) in found.items() if tries > limit_of[bucket]]
    if not over:
        return None
    limit, until = max(over, key=lambda one: one[1])
    return TooMany("too_many_attempts", limit=limit, wait=until - now)


async def forgive(
    connection: AsyncConnection, limits: Limits, *, what: str, address: str, caller: str | None
) -> None:
    """Take back the count of a try that was none: who signs in often is no guesser."""
    await repository.forgive_guesses(connection, list(_buckets(limits, what, address, caller)))


def _buckets(limits: Limits, what: str, address: str, caller: str | None) -> dict[bytes, int]:
    return {
        _bucket(what, address, caller or ""): limits.both,
        _bucket(what, address, "any"): limits.address,
        _bucket(what, "any", caller or ""): limits.caller,
    }


def _bucket(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()[:16]
