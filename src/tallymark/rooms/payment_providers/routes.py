"""The doors to connections, for people, and the door at which providers tell what has happened."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from tallymark.api.context import Context, InContext
from tallymark.api.errors import PayloadTooLarge, answer_to
from tallymark.api.idempotency import in_parts
from tallymark.api.permissions import permitted
from tallymark.api.routing import member_router
from tallymark.api.wire import read_id
from tallymark.domain.errors import Conflict
from tallymark.rooms.payment_providers import service
from tallymark.rooms.payment_providers.connecting import Connecting
from tallymark.rooms.payment_providers.inbound import Inbound, Unheard
from tallymark.rooms.payment_providers.model import ProviderKind, StoredConnection
from tallymark.rooms.payment_providers.schemas import (
    UNSEEN,
    ConnectionOutput,
    ConnectionRequest,
    ConnectionResponse,
    ConnectionsResponse,
    NewConnectionRequest,
    inner_fields,
    plain_fields,
)

router = member_router("app: payment providers")
inbound_router = APIRouter()

VIEW, UPDATE = "organization:integrations:view", "organization:integrations:update"

LARGEST_EVENT = 1024 * 1024
"""No provider tells more at once."""


@router.get("/payment_providers")
@permitted(VIEW, "customers:view")
async def list_connections(request: Request, context: InContext) -> ConnectionsResponse:
    """List the organization's connections to payment providers; what they are set to, to those who may see integrations."""
    async with context.transaction() as tx:
        found = await service.list_connections(tx)
        counts = await service.count_customers(tx)
    shown = [_show(request, context, one, counts.get(one.id, 0)) for one in found]
    return ConnectionsResponse(payment_providers=shown)


@router.post("/payment_providers")
@in_parts
@permitted("organization:integrations:create")
async def connect(body: NewConnectionRequest, request: Request, context: InContext) -> ConnectionResponse:
    """Connect the organization to a payment provider, which has to let it in."""
    sent = body.payment_provider.sent
    made = await _connecting(request).connect(context, sent.get("kind") or "", sent)
    return ConnectionResponse(payment_provider=_show(request, context, made, 0))


@router.put("/payment_providers/{lago_id}")
@permitted(UPDATE)
async def change_connection(
    lago_id: str, body: ConnectionRequest, request: Request, context: InContext
) -> ConnectionResponse:
    """Change what is sent of a connection; the key at Stripe stays as it is."""
    connection_id = read_id(lago_id, "payment_provider")
    changed = await _connecting(request).change(context, connection_id, body.payment_provider.sent)
    return await _answer(request, context, changed)


@router.delete("/payment_providers/{lago_id}")
@permitted("organization:integrations:delete")
async def disconnect(lago_id: str, request: Request, context: InContext) -> ConnectionResponse:
    """Delete a connection: its customers are linked to nobody, and their payment methods are gone."""
    connection_id = read_id(lago_id, "payment_provider")
    gone = await _connecting(request).disconnect(context, connection_id)
    return ConnectionResponse(payment_provider=_show(request, context, gone, 0))


@inbound_router.post("/webhooks/{kind}/{organization_id}", include_in_schema=False)
async def hear(kind: str, organization_id: str, request: Request, code: str | None = None) -> Response:
    """Take an event of a provider. Who is not let in is not told whether it is the signature, the connection or the organization."""
    inbound: Inbound = request.app.state.inbound
    try:
        await inbound.take(kind, organization_id, code, dict(request.headers), await _read(request))
    except Unheard:
        return JSONResponse({"status": 400, "error": "Bad Request"}, 400)
    except Conflict as error:
        return answer_to(error)  # providers send it again
    return PlainTextResponse("[accepted]" if kind == ProviderKind.ADYEN else "")


async def _read(request: Request) -> bytes:
    """The body to the last byte, which is what was signed. Raises `PayloadTooLarge`."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_EVENT:
            raise PayloadTooLarge
        parts.append(part)
    return b"".join(parts)


def _connecting(request: Request) -> Connecting:
    connecting: Connecting = request.app.state.connecting
    return connecting


async def _answer(request: Request, context: Context, stored: StoredConnection) -> ConnectionResponse:
    async with context.transaction() as tx:
        counts = await service.count_customers(tx)
    shown = _show(request, context, stored, counts.get(stored.id, 0))
    return ConnectionResponse(payment_provider=shown)


def _show(request: Request, context: Context, stored: StoredConnection, customers: int) -> ConnectionOutput:
    connecting = _connecting(request)
    plain = plain_fields(stored, connecting.abilities(stored.kind), customers)
    held = context.member.permissions if context.member else frozenset[str]()
    if VIEW not in held:
        return ConnectionOutput(**plain, **UNSEEN)
    opened = connecting.vault.open(stored)
    inner = inner_fields(opened, connecting.vault.inbound_url(opened), with_secret=UPDATE in held)
    return ConnectionOutput(**plain, **inner)
