"""The doors to an organization's API keys, for its members (platform §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import BaseModel

from tallymark.api.context import InContext
from tallymark.api.permissions import PermissionMap, permitted
from tallymark.api.routing import member_router
from tallymark.api.tenant_limits import Limit, TenantLimits
from tallymark.api.wire import Input, Instant, InstantInput, Name, read_id
from tallymark.domain.errors import Invalid
from tallymark.rooms.organizations import service
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.organizations.model import ApiKey

router = member_router("app: api keys")

MAY_MANAGE = permitted("developers:keys:manage")

WithEnded = Annotated[bool, Query(description="Whether to list keys that have ended, too: logs name them.")]


class KeyInput(Input):
    name: Name | None = None
    permissions: Any = None


class RotationInput(Input):
    name: Name | None = None
    expires_at: InstantInput | None = None
    """When the old key ends; now where it is not said."""


class KeyOutput(BaseModel):
    lago_id: UUID
    name: str | None
    ending: str | None
    """The last characters of its value; null of a key that is older than these were kept, until it is used again."""
    permissions: Mapping[str, Sequence[str]] | None
    """Modes by resource; null for everything."""
    created_at: Instant
    last_used_at: Instant | None
    expires_at: Instant | None

    @classmethod
    def of(cls, key: ApiKey) -> KeyOutput:
        """Show a key without its value, which is not kept."""
        shown = {name: getattr(key, name) for name in cls.model_fields if name != "lago_id"}
        return cls(lago_id=key.id, **shown)


class KeyResponse(BaseModel):
    api_key: KeyOutput


class NewKeyOutput(KeyOutput):
    value: str


class NewKeyResponse(BaseModel):
    api_key: NewKeyOutput


class KeysResponse(BaseModel):
    api_keys: list[KeyOutput]


@router.get("/api_keys")
@MAY_MANAGE
async def list_api_keys(context: InContext, with_ended: WithEnded = False) -> KeysResponse:
    """List the keys that have not ended, or all that there ever were; without their values."""
    async with context.transaction() as tx:
        found = await service.list_api_keys(tx, now=system_now(), with_ended=with_ended)
    return KeysResponse(api_keys=[KeyOutput.of(key) for key in found])


@router.post("/api_keys")
@MAY_MANAGE
async def create_api_key(body: KeyInput, request: Request, context: InContext) -> NewKeyResponse:
    """Make a key that may do everything, or what is said; its value is shown this once."""
    permissions = _read_permissions(body.permissions)
    limits: TenantLimits = request.app.state.tenant_limits
    async with context.transaction() as tx:
        await limits.check(tx.connection, tx.organization_id, Limit.API_KEYS, now=system_now())
        key, value = await service.create_api_key(
            tx, name=body.name, now=context.now, permissions=permissions
        )
    return _shown(key, value)


@router.put("/api_keys/{lago_id}")
@MAY_MANAGE
async def update_api_key(lago_id: str, body: KeyInput, request: Request, context: InContext) -> KeyResponse:
    """Change a key's name, or what it may do: null is everything."""
    key_id, sent = read_id(lago_id, "api_key"), body.sent
    if "permissions" in sent:
        sent["permissions"] = _read_permissions(sent["permissions"])
    async with context.transaction() as tx:
        key = await service.change_api_key(tx, key_id, sent, now=context.now, at=system_now())
    request.app.state.gatekeeper.forget()
    return KeyResponse(api_key=KeyOutput.of(key))


@router.post("/api_keys/{lago_id}/rotate")
@MAY_MANAGE
async def rotate_api_key(
    lago_id: str, body: RotationInput, request: Request, context: InContext
) -> NewKeyResponse:
    """Make a key in place of another, with its permissions; that one ends now or later."""
    async with context.transaction() as tx:
        key, value = await service.rotate_api_key(
            tx,
            read_id(lago_id, "api_key"),
            name=body.name,
            now=context.now,
            at=system_now(),
            old_ends_at=body.expires_at,
        )
    request.app.state.gatekeeper.forget()
    return _shown(key, value)


@router.delete("/api_keys/{lago_id}", response_class=Response)
@MAY_MANAGE
async def delete_api_key(lago_id: str, request: Request, context: InContext) -> Response:
    """End a key now; not the last that never expires."""
    async with context.transaction() as tx:
        await service.delete_api_key(tx, read_id(lago_id, "api_key"), now=context.now, at=system_now())
    request.app.state.gatekeeper.forget()
    return Response(status_code=200)


def _shown(key: ApiKey, value: str) -> NewKeyResponse:
    return NewKeyResponse(api_key=NewKeyOutput(**KeyOutput.of(key).__dict__, value=value))


def _read_permissions(sent: Any) -> PermissionMap | None:
    """Modes by resource. Raises `Invalid` for what is none; which there are is looked at where they are set."""
    if sent is None:
        return None
    is_map = isinstance(sent, dict) and all(
        isinstance(modes, list) and all(isinstance(mode, str) for mode in modes) for modes in sent.values()
    )
    if not is_map:
        raise Invalid({"permissions": ["value_is_invalid"]})
    return dict(sent)
