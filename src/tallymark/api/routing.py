"""Routes of organizations: every request is authenticated before its body is looked at (platform §1.1)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel

from tallymark.api.calls import noted
from tallymark.api.context import Context, Gatekeeper, Portal, Principal
from tallymark.api.errors import BadRequest, Unauthorized, missing_root
from tallymark.api.idempotency import answer_once
from tallymark.api.parents import missing_parent
from tallymark.api.people_rights import permissions_for
from tallymark.api.permissions import (
    Need,
    check_permitted,
    check_right,
    permissions_asked_by,
    rights_for,
)
from tallymark.api.portal import PREFIX as PORTAL
from tallymark.api.portal import read_token
from tallymark.api.requests import SAFE_METHODS, CleanRequest, refuse_nul, restore_slashes
from tallymark.api.sessions import PREFIX, enter_organization

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Change = TypeVar("Change", bound=Callable[..., Any])


class OrganizationRoute(APIRoute, ABC):
    """Lets callers pass that may do this, puts a `Context` on the request, answers what is repeated with a key once, settles a
    simulated organization after a write, and has the call noted.
    """

    @property
    @abstractmethod
    def need(self) -> Need:
        """What the route asks of whoever calls it."""

    @property
    def root(self) -> str:
        """The name of the object that its body holds, the first where there may be several."""
        model = self.body_field.field_info.annotation if self.body_field else None
        if isinstance(model, type) and issubclass(model, BaseModel):
            return next(iter(model.model_fields), "body")
        return "body"

    async def admit(self, request: Request, needed: Need, *, is_write: bool) -> Principal:
        """Whom a call comes from that may do this: a key where there is one, else a person who has signed in."""
        authorization = request.headers.get("authorization", "")
        if authorization and needed.rights:
            principal = await authenticate(request.app.state.gatekeeper, authorization)
            check_right(principal.rights, *needed.rights)
            return principal
        principal = await enter_organization(request, is_write=is_write)
        assert principal.member is not None, "a session is a person's"
        check_permitted(principal.member.permissions, needed.permissions)
        return principal

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        needed = self.need

        async def in_context(request: Request) -> Response:
            restore_slashes(request)
            request.state.route = self.path_format
            is_write = request.method not in SAFE_METHODS
            principal = await self.admit(request, needed, is_write=is_write)
            context = await _enter(request, principal, is_write=is_write)
            request.state.context = context
            refuse_nul(request)
            clean = CleanRequest(request.scope, request.receive)
            if not is_write:
                return await handler(clean)

            async def answer(context: Context) -> Response:
                request.state.context = context
                try:
                    return await handler(clean)
                except RequestValidationError as error:
                    root = missing_root(error)
                    if root is None:
                        raise
                    if answered := await missing_parent(request, self.path_format):
                        return answered
                    raise BadRequest.missing_root(root or self.root) from error

            async def act() -> Response:
                response = await answer_once(clean, context, answer, endpoint=self.endpoint)
                if context.is_simulated:
                    await request.app.state.gatekeeper.settle(context)
                return response

            return await noted(clean, context, act)

        return in_context


class TenantRoute(OrganizationRoute):
    """A route of the REST API, for keys and for people who have signed in."""

    resource: ClassVar[str]
    """The resource of its router, which a key needs to have; an endpoint may name another one."""

    @property
    def need(self) -> Need:
        """A key's rights, and what a person may do instead."""
        methods = set(self.methods or ())
        rights = rights_for(self.endpoint, methods, resource=self.resource)
        return Need(rights, permissions_for(methods, self.path, resource=rights[0].resource))


class MemberRoute(OrganizationRoute):
    """A route of the web app, for people who belong to the organization."""

    @property
    def need(self) -> Need:
        """What its endpoint is marked with; no key has it."""
        return Need((), permissions_asked_by(self.endpoint))


class PortalRoute(OrganizationRoute):
    """A route of the customer portal, for whoever has a customer's link."""

    @property
    def need(self) -> Need:
        """Nothing but the link, which no key and no session stands in for."""
        return Need((), frozenset())

    async def admit(self, request: Request, needed: Need, *, is_write: bool) -> Principal:
        """Whose portal the token of a link opens. Raises `Unauthorized`."""
        del needed, is_write
        portal: Portal = request.app.state.portal
        token = read_token(request.headers)
        principal = await portal.admit(token) if token else None
        if principal is None:
            raise Unauthorized("unauthorized")
        assert principal.customer_id is not None, "a portal is a customer's"
        return principal


async def _enter(request: Request, principal: Principal, *, is_write: bool) -> Context:
    """What a request knows whose caller may do this; its organization's clock is read."""
    gatekeeper: Gatekeeper = request.app.state.gatekeeper
    return Context(
        database=request.app.state.database,
        organization_id=principal.organization_id,
        api_key_id=principal.api_key_id,
        member=principal.member,
        rights=principal.rights,
        customer_id=principal.customer_id,
        is_simulated=principal.is_simulated,
        now=await gatekeeper.read_clock(principal, is_write=is_write),
        links=request.app.state.site.links(principal.organization_id),
        user_agent=request.headers.get("user-agent", ""),
        ip_address=request.client.host if request.client else None,
        conclude=request.app.state.conclude,
    )


async def authenticate(gatekeeper: Gatekeeper, authorization: str) -> Principal:
    """Find the principal of an `Authorization` header; its second word is the token, whatever the first.

    Raises `Unauthorized` when the key is missing, unknown or expired.
    """
    words = authorization.split()
    principal = await gatekeeper.authenticate(words[1]) if len(words) > 1 else None
    if principal is None:
        raise Unauthorized
    return principal


class TenantRouter(APIRouter):
    """A router whose routes are an organization's."""

    def change(
        self, path: str, *, openapi_extra: dict[str, Any] | None = None, is_patch_shown: bool = False
    ) -> Callable[[Change], Change]:
        """Register a change: PUT, and PATCH as its twin (platform §2), which is shown where the contract has it."""

        def register(handler: Change) -> Change:
            self.put(path, openapi_extra=openapi_extra)(handler)
            self.patch(path, openapi_extra=openapi_extra, include_in_schema=is_patch_shown)(handler)
            return handler

        return register


def member_router(tag: str) -> TenantRouter:
    """A router of the web app's endpoints of an organization; each is marked by `permitted`."""
    return TenantRouter(prefix=PREFIX, route_class=MemberRoute, tags=[tag])


def tenant_router(tag: str, *, resource: str) -> TenantRouter:
    """A router of tenants' routes, shown under a heading in the API's description; keys need permission for its resource."""
    guarded = type("TenantRoute", (TenantRoute,), {"resource": resource})
    return TenantRouter(prefix="/api/v1", route_class=guarded, tags=[tag])


def portal_router(tag: str) -> TenantRouter:
    """A router of the customer portal, shown under a heading in the API's description."""
    return TenantRouter(prefix=PORTAL, route_class=PortalRoute, tags=[tag])
