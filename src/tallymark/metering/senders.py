"""Who sent events: an address and a client, kept once for each month and organization, and named by number (docs/decisions/0046)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, LiteralString, NamedTuple, Self
from uuid import UUID

import msgspec
import psycopg

LONGEST = 255
"""Characters of an address, and of what a client calls itself: the rest is cut off."""

MOST = 10_000
"""Senders that one process keeps of an organization and month; events of others are kept without theirs."""

NOBODY = 0
"""Stands for no sender among the numbers of senders."""

_CACHE = 200_000

_ADD: LiteralString = """
    INSERT INTO event_senders (organization_id, month, ip_address, client)
    SELECT o, m, a, c FROM json_to_recordset(%t::json) AS e(o uuid, m date, a text, c text)
    ON CONFLICT DO NOTHING
"""
_FIND: LiteralString = """
    SELECT s.organization_id, s.month, s.ip_address, s.client, s.id
    FROM json_to_recordset(%t::json) AS e(o uuid, m date, a text, c text)
    JOIN event_senders s ON s.organization_id = e.o AND s.month = e.m AND s.ip_address = e.a AND s.client = e.c
"""


class Sender(NamedTuple):
    """Where a request came from, and what its client calls itself; each may be empty."""

    ip_address: str
    client: str

    @classmethod
    def of(cls, ip_address: str | None, client: str) -> Self:
        """A sender as it is kept.

        >>> Sender.of(None, "curl/8.5.0" + 300 * "x").client[:12]
        'curl/8.5.0xx'
        """
        return cls(_kept(ip_address or ""), _kept(client))


SenderKey = tuple[int, date, str, str]
"""An organization, by the number of its id, which is quicker to look up; a month, an address and a client."""


def sender_key(organization_id: UUID, at: datetime, sender: Sender) -> SenderKey:
    """What stands for a sender in the month of an instant."""
    return organization_id.int, month_of(at), sender.ip_address, sender.client


def month_of(at: datetime) -> date:
    """The first day of the month of an instant in UTC."""
    return date(at.year, at.month, 1)


class Senders:
    """The numbers of senders, as far as a process knows them; the lines of an intake share it."""

    def __init__(self) -> None:
        self._known: dict[SenderKey, int] = {}
        self._counts: Counter[tuple[int, date]] = Counter()
        """How many of them are an organization's in a month."""

    async def numbers_of(
        self, connection: psycopg.AsyncConnection[Any], keys: Sequence[SenderKey | None]
    ) -> list[int]:
        """The number of each sender, `NOBODY` for None; those that are not there are made.

        Not in a transaction that may be taken back: what is made is remembered.
        """
        while True:
            # Another line may have forgotten some while this one asked.
            numbers = [self._number_of(key) for key in keys]
            unknown = {
                key for key, number in zip(keys, numbers, strict=True) if number is None and key is not None
            }
            if not unknown:
                return [number or NOBODY for number in numbers]
            await self._learn(connection, sorted(unknown))

    def _number_of(self, key: SenderKey | None) -> int | None:
        if key is None:
            return NOBODY
        number = self._known.get(key)
        if number is None and self._counts[key[:2]] >= MOST:
            return NOBODY
        return number

    async def _learn(self, connection: psycopg.AsyncConnection[Any], keys: Iterable[SenderKey]) -> None:
        if len(self._known) > _CACHE:
            self._known.clear()
            self._counts.clear()
        asked = [
            {"o": UUID(int=o), "m": month, "a": address, "c": client} for o, month, address, client in keys
        ]
        encoded = msgspec.json.encode(asked).decode()
        await connection.execute(_ADD, [encoded])
        cursor = await connection.execute(_FIND, [encoded])
        for organization_id, month, address, client, number in await cursor.fetchall():
            key = (organization_id.int, month, address, client)
            self._counts[key[:2]] += key not in self._known
            self._known[key] = number


def _kept(text: str) -> str:
    return text[:LONGEST].replace("\x00", "")
