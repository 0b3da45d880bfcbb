"""What became of billed usage when its events were corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from uuid import UUID

from tallymark.domain.values import value
from tallymark.rooms.adjustments.model import BilledItem, ItemKey, LineKey, Rated


@value
class Adjusted:
    """Billed usage before and after its events were corrected; what it is afterwards is there at the end."""

    billed: Sequence[BilledItem]
    before: Mapping[ItemKey, Mapping[LineKey, Rated]]
    after: dict[ItemKey, Mapping[LineKey, Rated]] = field(default_factory=dict)

    def charges_of(self, key: tuple[UUID, datetime]) -> list[BilledItem]:
        """The charges of a subscription in the window that starts at an instant."""
        return [one for one in self.billed if one.usage.key == key]
