"""Laws, and what breaks them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """What must be true: `sql` finds (place, expected, found) where it is not; None where steps are recomputed."""

    name: str
    says: str
    sql: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Where a law does not hold, what it wants there, and what is there."""

    law: str
    place: str
    expected: str
    found: str
