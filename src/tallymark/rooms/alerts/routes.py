"""The doors to alerts: the same ones on subscriptions and on wallets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Depends, Request, Response

from tallymark.api.context import Context, InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.queries import reads
from tallymark.api.routing import TenantRouter, tenant_router
from tallymark.db.engine import Tx
from tallymark.rooms.alerts import service
from tallymark.rooms.alerts.model import Alert, Subject
from tallymark.rooms.alerts.schemas import (
    AlertOutput,
    AlertRequest,
    AlertResponse,
    AlertsRequest,
    AlertsResponse,
    MadeAlertsResponse,
)
from tallymark.rooms.subscriptions.model import Status

router = tenant_router("alerts", resource="alert")

Find = Callable[[Tx], Awaitable[Subject]]
"""Finds what a path speaks of."""


def of_subscription(external_id: str, request: Request) -> Find:
    """The subscription of this id and status, active unless another is asked for."""
    query = request.query_params
    status = query.get("subscription_status") or query.get("status") or Status.ACTIVE
    return lambda tx: service.on_subscription(tx, external_id=external_id, status=status)


def of_wallet(external_id: str, wallet_code: str) -> Find:
    """A customer's wallet by its code."""
    return lambda tx: service.on_wallet(tx, external_customer_id=external_id, code=wallet_code)


def add_routes(
    to: TenantRouter, path: str, find_subject: Callable[..., Find], *, query: dict[str, Any] | None = None
) -> None:
    """Add the doors to the alerts of one kind of subject, which its query may choose."""

    @to.post(path, openapi_extra=query)
    async def create_alerts(
        body: AlertsRequest, context: InContext, find: Find = Depends(find_subject)
    ) -> AlertResponse | MadeAlertsResponse:
        """Make an alert, or all of a batch."""
        async with context.transaction() as tx:
            subject = await find(tx)
            if body.batch is None:
                made = await service.create_alert(tx, subject, body.to_value(), now=context.now)
                return _answer(made, subject, context)
            all_made = await service.create_alerts(tx, subject, body.batch, now=context.now)
        return MadeAlertsResponse(alerts=[_show(alert, subject, context) for alert in all_made])

    @to.get(path, openapi_extra=query)
    async def list_alerts(
        context: InContext, page: InPage, find: Find = Depends(find_subject)
    ) -> AlertsResponse:
        """List alerts, newest first."""
        async with context.transaction() as tx:
            subject = await find(tx)
            found, total = await service.list_alerts(tx, subject, page)
        shown = [_show(alert, subject, context) for alert in found]
        return AlertsResponse(alerts=shown, meta=Meta.of(page, total))

    @to.delete(path, openapi_extra=query, response_class=Response)
    async def delete_alerts(context: InContext, find: Find = Depends(find_subject)) -> Response:
        """Delete all alerts."""
        async with context.transaction() as tx:
            await service.delete_all(tx, await find(tx), now=context.now)
        return Response()

    @to.get(f"{path}/{{code}}", openapi_extra=query)
    async def get_alert(code: str, context: InContext, find: Find = Depends(find_subject)) -> AlertResponse:
        """Read one alert."""
        async with context.transaction() as tx:
            subject = await find(tx)
            return _answer(await service.get_alert(tx, subject, code), subject, context)

    @to.change(f"{path}/{{code}}", openapi_extra=query)
    async def update_alert(
        code: str, body: AlertRequest, context: InContext, find: Find = Depends(find_subject)
    ) -> AlertResponse:
        """Change what is sent."""
        async with context.transaction() as tx:
            subject = await find(tx)
            changed = await service.update_alert(tx, subject, code, body.to_value(), now=context.now)
            return _answer(changed, subject, context)

    @to.delete(f"{path}/{{code}}", openapi_extra=query)
    async def delete_alert(
        code: str, context: InContext, find: Find = Depends(find_subject)
    ) -> AlertResponse:
        """Delete one alert."""
        async with context.transaction() as tx:
            subject = await find(tx)
            return _answer(await service.delete_alert(tx, subject, code, now=context.now), subject, context)


def _show(alert: Alert, subject: Subject, context: Context) -> AlertOutput:
    return AlertOutput.of(alert, subject.wallet_code, context.organization_id)


def _answer(alert: Alert, subject: Subject, context: Context) -> AlertResponse:
    return AlertResponse(alert=_show(alert, subject, context))


add_routes(router, "/subscriptions/{external_id}/alerts", of_subscription, query=reads("subscription_status"))
add_routes(router, "/customers/{external_id}/wallets/{wallet_code}/alerts", of_wallet)
