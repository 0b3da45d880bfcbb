"""How much an organization may have, and how much it has."""

from __future__ import annotations

from collections.abc import Mapping

from tallymark.api.tenant_limits import Limit
from tallymark.domain.values import value

Values = Mapping[Limit, int | None]
"""A number by limit: None says nothing, 0 any number."""


@value
class Allowed:
    """One limit of an organization."""

    limit: Limit
    own: int | None
    """What is said of this organization; None where the settings apply."""
    default: int
    """What the settings say; 0 for any number."""

    @property
    def most(self) -> int | None:
        """How much there may be; None for any number.

        >>> [Allowed(limit=Limit.MEMBERS, own=own, default=5).most for own in (None, 0, 7)]
        [5, None, 7]
        """
        return (self.default if self.own is None else self.own) or None


@value
class Used:
    """A limit, and how much of it is used; None where nobody can say."""

    allowed: Allowed
    used: int | None
