"""What the intake must know without asking: which codes are looked at as they come in, expressions, where usage is watched
or rolled up, and how late an event may be.

Looked at are events that are priced one by one, and those that may name the wallet to be paid from.

The intake keeps them in memory. Each flush tells the version that it knows; where the database has moved on, the flush
stores nothing, and is done again with what is right now (docs/decisions/0004).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from tallymark.metering.expressions import Computed

_LEARN: LiteralString = "SELECT version, organization_id, code FROM tallymark_advance_codes()"
_LEARN_EXPRESSIONS: LiteralString = (
    "SELECT organization_id, code, field_name, expression FROM tallymark_expressions()"
)

_LEARN_WATCHING: LiteralString = "SELECT organization_id FROM tallymark_watching_organizations()"

_LEARN_ROLLED: LiteralString = "SELECT stream_id FROM rollups WHERE version > %s"

_LEARN_WINDOWS: LiteralString = "SELECT organization_id, days FROM tallymark_late_windows()"

UNKNOWN = 0
"""The version of knowing nothing yet."""


class Rules:
    """The (organization, code) pairs whose events are looked at one by one, and those with expressions, as of a version."""

    def __init__(self) -> None:
        self.version = UNKNOWN
        self.watching: frozenset[UUID] = frozenset()
        """Organizations where somebody watches usage."""
        self.late_after: dict[UUID, timedelta] = {}
        """How long after its time an event may come, where an organization says so."""
        self.rolled: set[int] = set()
        """Streams with roll-ups, those of before too."""
        self._codes: frozenset[tuple[UUID, str]] = frozenset()
        self._expressions: dict[tuple[UUID, str], Computed] = {}

    def take(self, organization_id: UUID, code: str) -> bool:
        """Whether events of a code are looked at as they come in."""
        return bool(self._codes) and (organization_id, code) in self._codes

    def computed(self, organization_id: UUID, code: str) -> Computed | None:
        """The expression of a code's metric."""
        return self._expressions.get((organization_id, code)) if self._expressions else None

    async def learn(self, connection: psycopg.AsyncConnection[Any]) -> int:
        """Read them anew, and tell the version that there is.

        The version is read first: where the rest is newer, the next flush finds the version outdated, and learns again. All of
        them become known at once, for others go by them while this reads.
        """
        rows = await (await connection.execute(_LEARN)).fetchall()
        version: int = rows[0][0]
        if version == self.version:
            return version
        known = self.version
        expressions = await (await connection.execute(_LEARN_EXPRESSIONS)).fetchall()
        watching = await (await connection.execute(_LEARN_WATCHING)).fetchall()
        windows = await (await connection.execute(_LEARN_WINDOWS)).fetchall()
        rolled = await (await connection.execute(_LEARN_ROLLED, [known])).fetchall()
        if version > self.version:
            self.version = version
            self._codes = frozenset(
                (organization_id, code) for _, organization_id, code in rows if code is not None
            )
            self._expressions = {
                (organization_id, code): Computed.read(field_name, text)
                for organization_id, code, field_name, text in expressions
            }
            self.watching = frozenset(organization_id for (organization_id,) in watching)
            self.late_after = {organization_id: timedelta(days=days) for organization_id, days in windows}
            self.rolled.update(stream_id for (stream_id,) in rolled)
        return version
