"""Laws, and what breaks them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """What must be true: `sql` finds (place, expected, found) where it is not; None where steps are recomputed.

    `holds` names the columns, as "table column column …", that can't change alone without breaking it.
    """

    name: str
    says: str
    holds: tuple[str, ...] = ()
    sql: str | None = None

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it holds, each as "table.column"."""
        tables = (line.split() for line in self.holds)
        return frozenset(f"{table}.{column}" for table, *columns in tables for column in columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Where a law does not hold, what it wants there, and what is there."""

    law: str
    place: str
    expected: str
    found: str
