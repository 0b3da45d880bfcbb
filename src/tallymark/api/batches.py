"""A page's data in one call: GETs of somebody who has signed in, or of a customer's portal, each answered as if it had been made
by itself (decision 25).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Query, Request, Response
from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError
from starlette.types import ASGIApp

from tallymark.api import portal
from tallymark.api.asking import Answer, ask
from tallymark.api.context import InContext
from tallymark.api.routing import portal_router
from tallymark.api.sessions import ORGANIZATION, PREFIX, InSession, app_router
from tallymark.api.wire import Input, one_of
from tallymark.db.engine import Database

MOST = 20
"""So many parts a batch may have: what a page shows."""

AT_ONCE = 4
"""So many of them are answered at the same time, and never by more than half of the database's connections."""

LONGEST = 8_000
"""What servers take as a request's first line."""

MOST_OF_PORTALS, LONGEST_OF_PORTALS = 6, 300
"""A portal asks in the first line of its request."""

PATHS = (f"{PREFIX}/batch", f"{portal.PREFIX}/batch")

AS_CALLER = frozenset({b"cookie", b"user-agent", ORGANIZATION.encode()})
AS_CUSTOMER = frozenset({b"authorization", portal.TOKEN.encode(), b"user-agent"})
TOLD = (
    "content-type", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset",
)  # fmt: skip
"""The headers of an answer that are told with it."""

_REST = r"/[\w.~!$&'()*+,;=:@%/\[\]?-]+"
_TARGET = re.compile(rf"/(?:api|app)/v1{_REST}", re.ASCII)
_PORTAL_TARGET = re.compile(portal.PREFIX + _REST, re.ASCII)

router = app_router("app: batch")
customers_router = portal_router("portal: batch")


def _target(text: str, roots: re.Pattern[str]) -> str:
    """A path below one of the roots with its query, as it stands in a request; never that of a batch."""
    path = unquote(text.partition("?")[0])
    if roots.fullmatch(text) is None or path.rstrip("/") in PATHS:
        raise PydanticCustomError("value_is_invalid", "no path of the API")
    return text


class PartInput(Input):
    method: Annotated[str, one_of("GET")] = "GET"
    path: Annotated[str, Field(max_length=LONGEST), AfterValidator(partial(_target, roots=_TARGET))]
    """`/api/v1/…` or `/app/v1/…` with its query, encoded as in a URL."""


class BatchRequest(BaseModel):
    requests: Annotated[list[PartInput], Field(min_length=1, max_length=MOST)]


class PartOutput(BaseModel):
    status: int
    headers: dict[str, str]
    """`content-type`, `retry-after` and the headers of a rate limit, where it has them."""
    body: dict[str, Any] | None
    """The answer's object; null where it is none."""


class BatchResponse(BaseModel):
    responses: list[PartOutput]


@router.post("/batch", response_model=BatchResponse)
async def answer_batch(body: BatchRequest, request: Request, session: InSession) -> Response:  # noqa: ARG001 - asked for, no more
    """Answer up to 20 GETs in one call: one answer each, in their order, as each would be answered by itself.

    Each asks for its own permission and its own organization's clock, and counts as a call of its own; one that is refused
    refuses no other.
    """
    return await _answer_all(request, [part.path for part in body.requests], AS_CALLER)


PortalTarget = Annotated[
    str, Field(max_length=LONGEST_OF_PORTALS), AfterValidator(partial(_target, roots=_PORTAL_TARGET))
]


@customers_router.get("/batch", response_model=BatchResponse)
async def answer_portal_batch(
    request: Request,
    context: InContext,  # noqa: ARG001 - asked for, no more
    paths: Annotated[list[PortalTarget], Query(alias="paths[]", min_length=1, max_length=MOST_OF_PORTALS)],
) -> Response:
    """Answer up to 6 GETs of a portal in one call: paths below `/portal/v1/` with their queries, one answer each, in their order."""
    return await _answer_all(request, paths, AS_CUSTOMER)


async def _answer_all(request: Request, paths: Sequence[str], headers: AbstractSet[bytes]) -> Response:
    database: Database = request.app.state.database
    places = asyncio.Semaphore(max(1, min(AT_ONCE, database.pool_size // 2)))

    async def answer(index: int, path: str) -> bytes:
        async with places:
            return _shown(await ask(_door(request, index), request, path, headers=headers))

    parts = await asyncio.gather(*(answer(index, path) for index, path in enumerate(paths)))
    return Response(b'{"responses":[' + b",".join(parts) + b"]}", media_type="application/json")


def _door(request: Request, index: int) -> ASGIApp:
    """Where a part comes in: past the count of calls, the first one excepted, which the batch's own call was counted for."""
    door: ASGIApp = request.app if index == 0 else getattr(request.app.state, "counted", request.app)
    return door


def _shown(answer: Answer) -> bytes:
    """A part on the wire. What it was answered is JSON already, and stays as it is to the last digit."""
    told = {name: answer.headers[name] for name in TOLD if name in answer.headers}
    is_object = told.get("content-type", "").startswith("application/json") and answer.body.startswith(b"{")
    body = answer.body if is_object else b"null"
    return b'{"status":%d,"headers":%s,"body":%s}' % (answer.status, json.dumps(told).encode(), body)
