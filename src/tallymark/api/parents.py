"""What lies below something is asked for after that: an unknown parent is told before a missing root (platform §1.1)."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from tallymark.api.asking import ask

NOT_FOUND = 404

PARENTS = ("/api/v1/customers/", "/api/v1/plans/", "/api/v1/subscriptions/")
"""Below these lie resources of their own, and reading one of them makes nothing; below others lie words on them, and acts."""

_NO_ROUTE = b'"resource_not_found"'


def parent_path(template: str) -> str | None:
    """The route of what a route's resource lies below, or None for one that lies below nothing.

    >>> parent_path("/api/v1/plans/{code}/charges"), parent_path("/api/v1/plans/{code}/charges/{charge_code}")
    ('/api/v1/plans/{code}', '/api/v1/plans/{code}')
    >>> parent_path("/api/v1/plans/{code}/charges/{charge_code}/filters")
    '/api/v1/plans/{code}/charges/{charge_code}'
    >>> parent_path("/api/v1/plans"), parent_path("/api/v1/plans/{code}"), parent_path("/api/v1/invoices/{lago_id}/void")
    (None, None, None)
    """
    parts = template.split("/")
    above = parts[:-2] if parts[-1].startswith("{") else parts[:-1]
    return "/".join(above) if above[-1].startswith("{") and template.startswith(PARENTS) else None


async def missing_parent(request: Request, template: str) -> Response | None:
    """The answer of who is asked for the parent, where there is none; None where there is, or where the caller may not know."""
    parent = parent_path(template)
    if parent is None:
        return None
    values = {name: quote(str(value), safe="") for name, value in request.path_params.items()}
    query = request.scope["query_string"].decode("latin-1")
    answer = await ask(request.app, request, f"{parent.format(**values)}?{query}")
    if answer.status != NOT_FOUND or _NO_ROUTE in answer.body:
        return None
    return Response(answer.body, status_code=answer.status, media_type=JSONResponse.media_type)
