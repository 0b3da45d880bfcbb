"""What a lifetime usage is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.rooms.subscriptions.model import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class LifetimeUsage:
    """Usage of a chain of subscriptions since its anchor, taxes excluded, in the minor unit of the plan's currency.

    The parts: what the client says was before, the charge fees of earlier periods, the running period.
    """

    id: UUID
    subscription: Subscription
    external_historical_usage_amount_cents: int
    invoiced_usage_amount_cents: int
    current_usage_amount_cents: int
    to_datetime: datetime

    @property
    def total_amount_cents(self) -> int:
        """What thresholds and alerts compare with."""
        return (
            self.external_historical_usage_amount_cents
            + self.invoiced_usage_amount_cents
            + self.current_usage_amount_cents
        )
