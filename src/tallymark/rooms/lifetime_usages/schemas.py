"""How lifetime usage looks on the wire."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.wire import Input, Instant, Integer, NotEmpty
from tallymark.rooms.lifetime_usages.model import LifetimeUsage


class LifetimeUsageInput(Input):
    external_historical_usage_amount_cents: Integer


class LifetimeUsageRequest(BaseModel):
    lifetime_usage: Annotated[LifetimeUsageInput, NotEmpty]


class LifetimeUsageOutput(BaseModel):
    lago_id: UUID
    lago_subscription_id: UUID
    external_subscription_id: str
    external_historical_usage_amount_cents: int
    invoiced_usage_amount_cents: int
    current_usage_amount_cents: int
    from_datetime: Instant
    to_datetime: Instant

    @classmethod
    def of(cls, usage: LifetimeUsage) -> LifetimeUsageOutput:
        """Show a lifetime usage."""
        subscription = usage.subscription
        return cls(
            lago_id=usage.id,
            lago_subscription_id=subscription.id,
            external_subscription_id=subscription.external_id,
            external_historical_usage_amount_cents=usage.external_historical_usage_amount_cents,
            invoiced_usage_amount_cents=usage.invoiced_usage_amount_cents,
            current_usage_amount_cents=usage.current_usage_amount_cents,
            from_datetime=subscription.subscription_at,
            to_datetime=usage.to_datetime,
        )


class LifetimeUsageResponse(BaseModel):
    lifetime_usage: LifetimeUsageOutput
