"""What a lifetime usage is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.domain.invoicing.thresholds import Step
from tallymark.rooms.subscriptions.model import Subscription
from tallymark.rooms.usage.model import CurrentUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a lifetime usage is made of, taxes excluded, in the minor unit of the plan's currency.

    What the client says was before, the charge fees of earlier periods, the running period (None: it has ended).
    """

    historical_cents: int
    invoiced_cents: int
    running: CurrentUsage | None

    @property
    def current_cents(self) -> int:
        """What the running period comes to now."""
        return self.running.totals.fees_amount_cents if self.running else 0

    @property
    def total_cents(self) -> int:
        """What thresholds and alerts compare with."""
        return self.historical_cents + self.invoiced_cents + self.current_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A threshold on the way of a lifetime usage, and when that came to it."""

    step: Step
    reached_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LifetimeUsage:
    """Usage of a chain of subscriptions since its anchor; `marks` are empty where no thresholds apply."""

    id: UUID
    subscription: Subscription
    parts: Parts
    to_datetime: datetime
    marks: tuple[Mark, ...] = ()
