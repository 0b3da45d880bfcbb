"""Which events must be priced as they come in: the codes with live charges paid in advance, known without asking.

The intake keeps them in memory. Each flush tells the version that it knows; where the database has moved on, the flush
stores nothing, and is done again with what is right now (docs/decisions/0005).
"""

from __future__ import annotations

from typing import Any, LiteralString
from uuid import UUID

import psycopg

_LEARN: LiteralString = "SELECT version, organization_id, code FROM tallymark_advance_codes()"

UNKNOWN = 0
"""The version of knowing nothing yet."""


class AdvanceCodes:
    """The (organization, code) pairs whose events are priced one by one, as of a version."""

    def __init__(self) -> None:
        self.version = UNKNOWN
        self._codes: frozenset[tuple[UUID, str]] = frozenset()

    def take(self, organization_id: UUID, code: str) -> bool:
        """Whether events of a code are priced as they come in."""
        return (organization_id, code) in self._codes

    async def learn(self, connection: psycopg.AsyncConnection[Any]) -> bool:
        """Read them anew, with the version that they are of; whether that is another one than was known."""
        rows = await (await connection.execute(_LEARN)).fetchall()
        is_news = bool(rows[0][0] != self.version)
        self.version = rows[0][0]
        self._codes = frozenset(
            (organization_id, code) for _, organization_id, code in rows if code is not None
        )
        return is_news
