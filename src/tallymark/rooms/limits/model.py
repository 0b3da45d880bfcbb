"""How much an organization may have, and how much it has."""

from __future__ import annotations

from collections.abc import Mapping

from tallymark.api.tenant_limits import Limit
from tallymark.domain.errors import Invalid
from tallymark.domain.values import value

Values = Mapping[Limit, int | None]
"""A number by limit: None says nothing, 0 any number."""


LARGEST = 2**53 - 1
"""What a number of JSON holds exactly, whoever reads it."""


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


def read_number(text: str) -> int:
    """How much there may be, as it is typed; 0 for any number. Raises `Invalid` on `limit`.

    >>> read_number("5000")
    5000
    """
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST)) and int(text) <= LARGEST):
        raise Invalid({"limit": ["value_is_invalid"]})
    return int(text)
