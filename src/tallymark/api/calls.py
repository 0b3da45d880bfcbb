"""Calls that change something, noted once they have been answered (platform §10.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tallymark.api.context import Context
from tallymark.api.errors import BadRequest, answer_to
from tallymark.api.idempotency import REPLAYED
from tallymark.api.request_ids import HEADER, request_id_of
from tallymark.db.engine import Tx
from tallymark.domain.errors import TallymarkError

API_VERSION = "v1"
UNREAD = frozenset({400, 413})
"""What is answered so never reached what it asked for."""

_UNNOTED = ("/api/v1/events",)
"""Below these nothing is noted: what comes in there by the thousands has a record of its own."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call and its answer; `parameters` are those of the path, the query and the body, merged."""

    request_id: UUID
    client: str
    http_method: str
    http_status: int
    request_origin: str
    request_path: str
    parameters: Mapping[str, Any]
    answer: bytes
    logged_at: datetime


class CallLog(Protocol):
    """What the API asks of the room that keeps calls."""

    async def note(self, tx: Tx, call: Call, *, api_key_id: UUID) -> None:
        """Keep a call."""


async def noted(request: Request, context: Context, act: Callable[[], Awaitable[Response]]) -> Response:
    """Do what a call asks for, and have it noted before its answer leaves, whatever came of it.

    What somebody does in the web app is no call of the API: the activity log tells of it.

    The transaction of the call has ended then: what is noted can neither hold it up nor undo it. An answer that is given
    again is no call that did something, and is not noted.
    """
    if context.api_key_id is None or request.url.path.startswith(_UNNOTED):
        return await act()
    request_id = request_id_of(request)
    try:
        response = await act()
    except (TallymarkError, RequestValidationError) as error:
        response = answer_to(error)
    except Exception as error:
        await _note(request, context, request_id, answer_to(error))
        raise
    await _note(request, context, request_id, response)
    response.headers[HEADER] = str(request_id)
    return response


async def _note(request: Request, context: Context, request_id: UUID, response: Response) -> None:
    if response.status_code in UNREAD or REPLAYED in response.headers:
        return
    call_log: CallLog = request.app.state.call_log
    try:
        call = Call(
            request_id=request_id,
            client=request.headers.get("user-agent", ""),
            http_method=request.method.lower(),
            http_status=response.status_code,
            request_origin=str(request.base_url),
            request_path=request.url.path,
            parameters=await _read_parameters(request),
            answer=bytes(getattr(response, "body", b"")),
            logged_at=context.now,
        )
        async with context.transaction() as tx:
            assert context.api_key_id is not None, "a call of the API has a key"
            await call_log.note(tx, call, api_key_id=context.api_key_id)
    except Exception:
        # What was asked for is done, and is answered so.
        log.exception("call is not noted", request_id=str(request_id), path=request.url.path)


async def _read_parameters(request: Request) -> dict[str, Any]:
    query = {
        name: request.query_params.getlist(name) if name.endswith("[]") else value
        for name, value in request.query_params.items()
    }
    try:
        body = await request.json()
    except (BadRequest, ClientDisconnect):
        body = None
    return {**query, **(body if isinstance(body, dict) else {}), **request.path_params}
