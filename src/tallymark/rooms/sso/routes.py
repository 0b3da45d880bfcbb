"""The doors to providers and methods, and the doors by which people come in."""

from __future__ import annotations

import secrets

from fastapi import Request, Response

from tallymark.api.context import InContext
from tallymark.api.permissions import permitted
from tallymark.api.routing import member_router
from tallymark.api.sessions import PREFIX, app_router, cookie_of
from tallymark.domain.errors import NotFound
from tallymark.rooms.sso import service
from tallymark.rooms.sso.model import KINDS, Luggage
from tallymark.rooms.sso.schemas import (
    BeginRequest,
    BeginResponse,
    FinishRequest,
    MethodsRequest,
    MethodsResponse,
    ProviderOutput,
    ProviderRequest,
    ProviderResponse,
    ProvidersResponse,
)
from tallymark.rooms.sso.signing_in import SingleSignOn
from tallymark.rooms.users.model import LoginMethod
from tallymark.rooms.users.routes import device_of, show_session
from tallymark.rooms.users.schemas import CurrentUserResponse

router = member_router("app: authentication")
open_router = app_router("app: single sign-on")

ATTEMPT_COOKIE = "tallymark_sso"


@open_router.post("/sso/attempts")
async def begin(body: BeginRequest, request: Request, response: Response) -> BeginResponse:
    """Ask where to go to sign in by a provider; the try belongs to this browser."""
    sso: SingleSignOn = request.app.state.sso
    browser = secrets.token_urlsafe(32)
    url = await sso.begin(body.method, body.email, browser, device_of(request))
    response.set_cookie(
        ATTEMPT_COOKIE,
        browser,
        path=f"{PREFIX}/sso",
        secure=cookie_of(request).is_secure,
        httponly=True,
        samesite="lax",
    )
    return BeginResponse(url=url)


@open_router.post("/sso/sessions")
async def finish(body: FinishRequest, request: Request, response: Response) -> CurrentUserResponse:
    """Sign in with what a provider has sent back."""
    sso: SingleSignOn = request.app.state.sso
    browser = request.cookies.get(ATTEMPT_COOKIE, "")
    luggage = Luggage(invite_token=body.invite_token, organization_name=body.organization_name)
    token = await sso.finish(body.state, body.code, browser, luggage, device_of(request))
    response.delete_cookie(ATTEMPT_COOKIE, path=f"{PREFIX}/sso")
    cookie_of(request).put(response, token)
    return await show_session(request, token)


@router.get("/authentication_methods")
@permitted("authentication_methods:view")
async def get_methods(context: InContext) -> MethodsResponse:
    """Read by which methods members sign in."""
    async with context.transaction() as tx:
        methods = await service.list_methods(tx)
    return MethodsResponse(authentication_methods=list(methods))


@router.put("/authentication_methods")
@permitted("authentication_methods:update")
async def set_methods(body: MethodsRequest, context: InContext) -> MethodsResponse:
    """Say by which methods members sign in; at least by one."""
    async with context.transaction() as tx:
        methods = await service.set_methods(tx, body.authentication_methods, now=context.now)
    return MethodsResponse(authentication_methods=list(methods))


@router.get("/identity_providers")
@permitted("organization:integrations:view", "authentication_methods:view")
async def list_providers(context: InContext) -> ProvidersResponse:
    """List the organization's providers, without their secrets."""
    async with context.transaction() as tx:
        found = await service.list_providers(tx)
    return ProvidersResponse(identity_providers=[ProviderOutput.of(one) for one in found])


@router.put("/identity_providers/{kind}")
@permitted("organization:integrations:update")
async def save_provider(
    kind: str, body: ProviderRequest, request: Request, context: InContext
) -> ProviderResponse:
    """Name a provider of a kind (`okta`, `entra_id`, `oidc`), or change it."""
    settings = body.to_value(_read_kind(kind))
    async with context.transaction() as tx:
        saved = await service.save_provider(
            tx, request.app.state.sso.key, settings, body.client_secret, now=context.now
        )
    return ProviderResponse(identity_provider=ProviderOutput.of(saved))


@router.delete("/identity_providers/{kind}", response_class=Response)
@permitted("organization:integrations:delete")
async def delete_provider(kind: str, context: InContext) -> Response:
    """Name a provider no more; nobody signs in by it."""
    async with context.transaction() as tx:
        await service.delete_provider(tx, _read_kind(kind), now=context.now)
    return Response(status_code=200)


def _read_kind(text: str) -> LoginMethod:
    if text not in [kind.value for kind in KINDS]:
        raise NotFound("identity_provider")
    return LoginMethod(text)
