"""How lifetime usage looks on the wire."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.wire import Described, Input, Instant, Integer, NotEmpty, Percent
from tallymark.domain.money import fixed
from tallymark.rooms.lifetime_usages.model import LifetimeUsage, Mark


class LifetimeUsageInput(Input):
    external_historical_usage_amount_cents: Integer


class LifetimeUsageRequest(BaseModel):
    lifetime_usage: Annotated[LifetimeUsageInput, NotEmpty]


class MarkOutput(BaseModel):
    amount_cents: int
    completion_ratio: Percent
    reached_at: Instant | None

    @classmethod
    def of(cls, mark: Mark) -> MarkOutput:
        """Show a threshold on the way."""
        return cls(
            amount_cents=mark.step.level_cents,
            completion_ratio=fixed(mark.step.completion, 15),
            reached_at=mark.reached_at,
        )


class LifetimeUsageOutput(Described):
    # Shown where thresholds apply (metering §9.4).
    left_out = ("usage_thresholds",)

    lago_id: UUID
    lago_subscription_id: UUID
    external_subscription_id: str
    external_historical_usage_amount_cents: int
    invoiced_usage_amount_cents: int
    current_usage_amount_cents: int
    from_datetime: Instant
    to_datetime: Instant
    usage_thresholds: list[MarkOutput] | None

    @classmethod
    def of(cls, usage: LifetimeUsage) -> LifetimeUsageOutput:
        """Show a lifetime usage."""
        subscription, parts = usage.subscription, usage.parts
        return cls(
            lago_id=usage.id,
            lago_subscription_id=subscription.id,
            external_subscription_id=subscription.external_id,
            external_historical_usage_amount_cents=parts.historical_cents,
            invoiced_usage_amount_cents=parts.invoiced_cents,
            current_usage_amount_cents=parts.current_cents,
            from_datetime=subscription.subscription_at,
            to_datetime=usage.to_datetime,
            usage_thresholds=[MarkOutput.of(mark) for mark in usage.marks] or None,
        )


class LifetimeUsageResponse(BaseModel):
    lifetime_usage: LifetimeUsageOutput
