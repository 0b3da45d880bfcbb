"""The doors to lifetime usage."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.routing import tenant_router
from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotFound
from tallymark.rooms.lifetime_usages import service
from tallymark.rooms.lifetime_usages.schemas import (
    LifetimeUsageOutput,
    LifetimeUsageRequest,
    LifetimeUsageResponse,
)
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Status, Subscription

router = tenant_router("lifetime_usage", resource="lifetime_usage")


@router.get("/subscriptions/{external_id}/lifetime_usage")
async def get_lifetime_usage(external_id: str, request: Request, context: InContext) -> LifetimeUsageResponse:
    """What a subscription has used since its beginning, over all its plans."""
    async with context.transaction() as tx:
        subscription = await _subscription(tx, external_id, request)
        found = await service.get_lifetime_usage(tx, subscription, now=context.now)
        return LifetimeUsageResponse(lifetime_usage=LifetimeUsageOutput.of(found))


@router.put("/subscriptions/{external_id}/lifetime_usage")
async def update_lifetime_usage(
    external_id: str, body: LifetimeUsageRequest, request: Request, context: InContext
) -> LifetimeUsageResponse:
    """Tell what was used before it was metered here."""
    amount = body.lifetime_usage.external_historical_usage_amount_cents
    async with context.transaction() as tx:
        subscription = await _subscription(tx, external_id, request)
        if amount < 0:
            raise Invalid({"historical_usage_amount_cents": ["value_is_out_of_range"]})
        found = await service.set_historical_amount(tx, subscription, amount, now=context.now)
        return LifetimeUsageResponse(lifetime_usage=LifetimeUsageOutput.of(found))


async def _subscription(tx: Tx, external_id: str, request: Request) -> Subscription:
    """The subscription of this id and status, active unless another is asked for."""
    query = request.query_params
    status = query.get("subscription_status") or query.get("status") or Status.ACTIVE
    found = await subscriptions.find_newest(tx, external_id=external_id, status=status)
    if found is None:
        raise NotFound("subscription")
    return found
