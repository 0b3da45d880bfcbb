"""Routes of tenants: every request is authenticated before its body is looked at (platform §1.1)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from tallymark.api.calls import noted
from tallymark.api.context import Context, Gatekeeper, Principal
from tallymark.api.errors import Unauthorized
from tallymark.api.idempotency import answer_once
from tallymark.api.permissions import Right, check_right, right_for
from tallymark.api.requests import SAFE_METHODS, CleanRequest, refuse_nul

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Change = TypeVar("Change", bound=Callable[..., Any])


class TenantRoute(APIRoute):
    """Lets keys pass that may do this, puts a `Context` on the request, answers what is repeated with a key once, settles a simulated organization after a
    write, and has the call noted.
    """

    resource: ClassVar[str]
    """The resource of its router, which a key needs to have; an endpoint may name another one."""

    @property
    def right(self) -> Right:
        """What a key needs to have for this route."""
        return right_for(self.endpoint, set(self.methods or ()), resource=self.resource)

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        needed = self.right

        async def in_context(request: Request) -> Response:
            is_write = request.method not in SAFE_METHODS
            context = await enter(request, needed, is_write=is_write)
            request.state.context = context
            refuse_nul(request)
            clean = CleanRequest(request.scope, request.receive)
            if not is_write:
                return await handler(clean)

            async def answer(context: Context) -> Response:
                request.state.context = context
                return await handler(clean)

            async def act() -> Response:
                response = await answer_once(clean, context, answer, endpoint=self.endpoint)
                if context.is_simulated:
                    await request.app.state.gatekeeper.settle(context)
                return response

            return await noted(clean, context, act)

        return in_context


async def enter(request: Request, needed: Right, *, is_write: bool) -> Context:
    """Authenticate the request, see that its key may do this, and read its organization's clock."""
    gatekeeper: Gatekeeper = request.app.state.gatekeeper
    principal = await authenticate(gatekeeper, request.headers.get("authorization", ""))
    check_right(principal.rights, needed)
    return Context(
        database=request.app.state.database,
        organization_id=principal.organization_id,
        api_key_id=principal.api_key_id,
        is_simulated=principal.is_simulated,
        now=await gatekeeper.read_clock(principal, is_write=is_write),
        base_url=request.app.state.base_url,
        sign_file=request.app.state.sign_file,
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
    """A router below `/api/v1` whose routes need an API key."""

    def change(
        self, path: str, *, openapi_extra: dict[str, Any] | None = None, is_patch_shown: bool = False
    ) -> Callable[[Change], Change]:
        """Register a change: PUT, and PATCH as its twin (platform §2), which is shown where the contract has it."""

        def register(handler: Change) -> Change:
            self.put(path, openapi_extra=openapi_extra)(handler)
            self.patch(path, openapi_extra=openapi_extra, include_in_schema=is_patch_shown)(handler)
            return handler

        return register


def tenant_router(tag: str, *, resource: str) -> TenantRouter:
    """A router of tenants' routes, shown under a heading in the API's description; keys need permission for its resource."""
    guarded = type("TenantRoute", (TenantRoute,), {"resource": resource})
    return TenantRouter(prefix="/api/v1", route_class=guarded, tags=[tag])
