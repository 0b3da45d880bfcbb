"""The doors to webhook endpoints, to the key that signs what they get, and to what became of it."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import PlainTextResponse

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.permissions import guarded_by, permitted
from tallymark.api.routing import member_router, tenant_router
from tallymark.api.wire import read_id
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.webhooks import service
from tallymark.rooms.webhooks.model import Endpoint
from tallymark.rooms.webhooks.schemas import (
    FILTERS,
    DeliveriesResponse,
    DeliveryOutput,
    DeliveryResponse,
    DetailedDeliveryOutput,
    EndpointOutput,
    EndpointRequest,
    EndpointResponse,
    EndpointsResponse,
    PublicKey,
    PublicKeyResponse,
    SecretOutput,
    SecretResponse,
    read_filters,
)

router = tenant_router("webhook_endpoints", resource="webhook_endpoint")
deliveries_router = member_router("app: webhook deliveries")


@router.post("/webhook_endpoints")
async def create_webhook_endpoint(body: EndpointRequest, context: InContext) -> EndpointResponse:
    """Add an endpoint."""
    async with context.transaction() as tx:
        return _answer(await service.create_endpoint(tx, body.to_value(), now=context.now))


@router.get("/webhook_endpoints")
async def list_webhook_endpoints(context: InContext, page: InPage) -> EndpointsResponse:
    """List endpoints by URL."""
    async with context.transaction() as tx:
        found, total = await service.list_endpoints(tx, page)
    shown = [EndpointOutput.of(endpoint) for endpoint in found]
    return EndpointsResponse(webhook_endpoints=shown, meta=Meta.of(page, total))


@router.get("/webhook_endpoints/{lago_id}")
async def get_webhook_endpoint(lago_id: str, context: InContext) -> EndpointResponse:
    """Read one endpoint."""
    async with context.transaction() as tx:
        return _answer(await service.get_endpoint(tx, read_id(lago_id, "webhook_endpoint")))


@router.change("/webhook_endpoints/{lago_id}")
async def update_webhook_endpoint(
    lago_id: str, body: EndpointRequest, context: InContext
) -> EndpointResponse:
    """Change what is sent."""
    endpoint_id = read_id(lago_id, "webhook_endpoint")
    async with context.transaction() as tx:
        return _answer(await service.update_endpoint(tx, endpoint_id, body.to_value(), now=context.now))


@router.delete("/webhook_endpoints/{lago_id}")
async def delete_webhook_endpoint(lago_id: str, context: InContext) -> EndpointResponse:
    """Delete an endpoint with the history of its deliveries."""
    async with context.transaction() as tx:
        return _answer(
            await service.delete_endpoint(tx, read_id(lago_id, "webhook_endpoint"), now=context.now)
        )


@router.get("/webhooks/public_key", response_class=PlainTextResponse)
@guarded_by("webhook_jwt_public_key")
async def get_public_key(request: Request, context: InContext) -> PlainTextResponse:  # noqa: ARG001 - with it a key is asked for
    """The public half of the key that signs webhooks, as plain text."""
    return PlainTextResponse(request.app.state.public_key)


@router.get("/webhooks/json_public_key")
@guarded_by("webhook_jwt_public_key")
async def get_json_public_key(request: Request, context: InContext) -> PublicKeyResponse:  # noqa: ARG001 - with it a key is asked for
    """The public half of the key that signs webhooks."""
    return PublicKeyResponse(webhook=PublicKey(public_key=request.app.state.public_key))


@deliveries_router.get("/webhook_secret")
@permitted("developers:manage")
async def get_webhook_secret(context: InContext) -> SecretResponse:
    """Read the secret that signs deliveries to endpoints with HMAC."""
    async with context.transaction() as tx:
        return SecretResponse(webhook_secret=SecretOutput(hmac_key=await organizations.get_hmac_key(tx)))


@deliveries_router.get("/webhook_deliveries", openapi_extra=FILTERS)
@permitted("developers:manage")
async def list_webhook_deliveries(request: Request, context: InContext, page: InPage) -> DeliveriesResponse:
    """List deliveries of the last 90 days, newest first; dates are of the last change.

    `status`, `webhook_type`, `http_status` and `webhook_endpoint_id` may be given several times, with `[]`. An `http_status` is one
    (`404`), a class (`5xx`), a first and a last one (`400-410`), or `timeout` where nobody answered. `search_term` is the id of a
    delivery, or of the object that it tells of.
    """
    filters = read_filters(request.query_params)
    async with context.transaction() as tx:
        found, total = await service.list_deliveries(tx, filters, page)
    return DeliveriesResponse(
        webhook_deliveries=[DeliveryOutput.of(one) for one in found], meta=Meta.of(page, total)
    )


@deliveries_router.get("/webhook_deliveries/{lago_id}")
@permitted("developers:manage")
async def get_webhook_delivery(lago_id: str, context: InContext) -> DeliveryResponse:
    """Read one delivery: what was sent, and what came back last."""
    async with context.transaction() as tx:
        found = await service.get_delivery(tx, read_id(lago_id, "webhook"))
    return DeliveryResponse(webhook_delivery=DetailedDeliveryOutput.of(found))


@deliveries_router.post("/webhook_deliveries/{lago_id}/retry")
@permitted("developers:manage")
async def retry_webhook_delivery(lago_id: str, context: InContext) -> DeliveryResponse:
    """Try a delivery once more, at once; 405 `is_succeeded` for one that has arrived."""
    async with context.transaction() as tx:
        found = await service.resend(tx, read_id(lago_id, "webhook"), now=system_now())
    return DeliveryResponse(webhook_delivery=DetailedDeliveryOutput.of(found))


def _answer(endpoint: Endpoint) -> EndpointResponse:
    return EndpointResponse(webhook_endpoint=EndpointOutput.of(endpoint))
