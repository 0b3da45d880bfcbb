"""POSTs that are safe to repeat: the first answer to an `Idempotency-Key` is kept with its effect (beyond §5)."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tallymark.api.context import Context, Gatekeeper
from tallymark.api.errors import BadRequest, answer_to
from tallymark.db.engine import Tx
from tallymark.domain.errors import Conflict, GivenUp, Invalid, TallymarkError

HEADER = "idempotency-key"
REPLAYED = "Idempotent-Replayed"
LONGEST_KEY = 255

_LOCK = "idempotency-key"
_ANTICIPATED = (TallymarkError, RequestValidationError, HTTPException)

Act = Callable[[Context], Awaitable[Response]]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_in_parts: set[Callable[..., Any]] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeatable:
    """A request with a key: the slot is one for each caller's organization, address and key; the hash is of what was sent.

    In portals each customer has slots of their own: what was answered to one is not told another.
    """

    slot: UUID
    request_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What was answered first, and the hash of what it answers."""

    request_hash: bytes
    http_status: int
    content_type: str | None
    body: bytes


class Answers(Protocol):
    """What the API asks of the room that keeps answers."""

    async def find(self, tx: Tx, slot: UUID, *, now: datetime) -> KeptAnswer | None:
        """The answer that is kept there, as long as it is kept."""

    async def keep(self, tx: Tx, slot: UUID, answer: KeptAnswer, *, now: datetime) -> None:
        """Keep an answer, in place of one that is kept no longer."""


def in_parts(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint that works in several transactions, since it waits for something outside of them.

    What it does must come to the same when it is done again: its answer is kept after its effect, not with it.
    """
    _in_parts.add(endpoint)
    return endpoint


def is_in_parts(endpoint: Callable[..., Any]) -> bool:
    """Whether an endpoint is marked so."""
    return endpoint in _in_parts


async def answer_once(
    request: Request, context: Context, act: Act, *, endpoint: Callable[..., Any]
) -> Response:
    """Answer a POST; one with a key that was answered before gets that answer, and has no effect.

    Raises `Invalid` for a key of another length or with another body, `Conflict` while its first request is under way.
    """
    if request.method != "POST" or HEADER not in request.headers:
        return await act(context)
    asked = await _read(request, context)
    answers: Answers = request.app.state.answers
    if not is_in_parts(endpoint):
        return await _once_in_one(answers, asked, context, act)
    gatekeeper: Gatekeeper = request.app.state.gatekeeper
    return await _once_in_parts(answers, asked, context, act, gatekeeper)


async def _read(request: Request, context: Context) -> Repeatable:
    key = ", ".join(request.headers.getlist(HEADER)).strip()
    if not 1 <= len(key) <= LONGEST_KEY:
        raise Invalid({"idempotency_key": ["value_is_too_long" if key else "value_is_mandatory"]})
    try:
        body = await request.body()
    except ClientDisconnect:
        raise BadRequest from None
    whose = context.organization_id.bytes + (context.customer_id.bytes if context.customer_id else b"")
    place = b"\0".join((whose, request.url.path.encode(), key.encode()))
    sent = request.scope["query_string"] + b"\0" + body
    return Repeatable(
        slot=UUID(bytes=hashlib.sha256(place).digest()[:16]), request_hash=hashlib.sha256(sent).digest()
    )


async def _once_in_one(answers: Answers, asked: Repeatable, context: Context, act: Act) -> Response:
    """The effect and its answer are committed together, or neither is."""
    async with context.transaction() as tx:
        if not await tx.try_lock(_LOCK, asked.slot):
            raise Conflict("idempotency_key_in_use")
        kept = await answers.find(tx, asked.slot, now=context.now)
        if kept is not None:
            return _replay(kept, asked)
        response = await _answer(act, replace(context, joined=tx))
        await answers.keep(tx, asked.slot, _as_kept(response, asked), now=context.now)
    return response


async def _once_in_parts(
    answers: Answers, asked: Repeatable, context: Context, act: Act, gatekeeper: Gatekeeper
) -> Response:
    """The answer is kept once all is done; until then the key is held by a connection, which ends with its process."""
    async with context.database.held(_LOCK, asked.slot) as is_free:
        if not is_free:
            raise Conflict("idempotency_key_in_use")
        async with context.transaction() as tx:
            kept = await answers.find(tx, asked.slot, now=context.now)
        if kept is not None:
            return _replay(kept, asked)
        response = await _answer(act, context)
        # What was done may have moved the clock; the answer's day begins when it is given.
        now = await gatekeeper.read_clock(context.principal, is_write=False)
        async with context.transaction() as tx:
            await answers.keep(tx, asked.slot, _as_kept(response, asked), now=now)
    return response


async def _answer(act: Act, context: Context) -> Response:
    """The answer, where it is one to keep; a defect goes on its way, and so does what says that it may go well later."""
    try:
        return await act(context)
    except (Conflict, GivenUp):
        raise
    except _ANTICIPATED as error:
        return answer_to(error)


def _as_kept(response: Response, asked: Repeatable) -> KeptAnswer:
    return KeptAnswer(
        request_hash=asked.request_hash,
        http_status=response.status_code,
        content_type=response.headers.get("content-type"),
        body=bytes(response.body),
    )


def _replay(kept: KeptAnswer, asked: Repeatable) -> Response:
    if kept.request_hash != asked.request_hash:
        raise Invalid({"idempotency_key": ["already_used_with_another_body"]})
    headers = {REPLAYED: "true"}
    if kept.content_type is not None:
        headers["content-type"] = kept.content_type
    return Response(kept.body, kept.http_status, headers)
