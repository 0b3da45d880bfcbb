"""The fast lane: `POST /events` and `/events/batch` as bare ASGI, in front of the framework (ARCHITECTURE §4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import structlog
from starlette.types import Receive, Scope, Send

from tallymark.api.context import Context, Gatekeeper, Principal
from tallymark.api.errors import (
    BadRequest,
    PayloadTooLarge,
    Unauthorized,
    error_body,
    limit_headers,
    validation_body,
)
from tallymark.api.links import Site
from tallymark.api.permissions import WRITE, Right, check_right
from tallymark.api.requests import LARGEST_BODY
from tallymark.api.routing import authenticate
from tallymark.db.engine import Database
from tallymark.domain.errors import TallymarkError, TooMany
from tallymark.domain.periods import TICK
from tallymark.metering.allowance import UNSAID, Allowance, Ticket
from tallymark.metering.intake import Intake, IntakeFull, OutdatedRules, Row, UnstorableEvent
from tallymark.metering.senders import LONGEST, Sender
from tallymark.rooms.events import repository, service
from tallymark.rooms.events.parsing import (
    EPOCH,
    EventInput,
    FailedExpression,
    InvalidEvent,
    LooseEventInput,
    Tenant,
    read_event,
)

log = structlog.get_logger(__name__)

SINGLE = "/api/v1/events"
BATCH = "/api/v1/events/batch"
DUPLICATE = {"transaction_id": ["value_already_exist"]}

_NEEDED = Right(WRITE, "event")

_HEADERS = [(b"content-type", b"application/json; charset=utf-8")]


class _SingleBody(msgspec.Struct):
    event: msgspec.Raw = msgspec.Raw(b"")


class _BatchBody(msgspec.Struct):
    events: msgspec.Raw = msgspec.Raw(b"")


class EventOutput(msgspec.Struct):
    """An event as the wire shows it; it is linked to no customer and subscription when it comes in (quirk)."""

    lago_id: UUID
    transaction_id: str
    code: str
    timestamp: str
    precise_total_amount_cents: str | None
    properties: msgspec.Raw
    external_subscription_id: str | None
    created_at: str
    lago_customer_id: None = None
    lago_subscription_id: None = None


_encoder = msgspec.json.Encoder()
_single = msgspec.json.Decoder(_SingleBody)
_batch = msgspec.json.Decoder(_BatchBody)
_event = msgspec.json.Decoder(EventInput)
_events = msgspec.json.Decoder(list[EventInput])
_loose_event = msgspec.json.Decoder(LooseEventInput)
_loose_events = msgspec.json.Decoder(list[LooseEventInput])


class _Refused(Exception):
    """A validation error of the wire, with details of any shape."""

    def __init__(self, details: object) -> None:
        self.details = details
        super().__init__()


class _TurnedAway(Exception):
    """Staff hold the organization's events back: whoever sends them is to try again later."""


class _Known(_Refused):
    """Refused for events that were taken in before."""

    def __init__(self, details: object, ids: Collection[UUID]) -> None:
        self.ids = ids
        super().__init__(details)


class _Stored(NamedTuple):
    """The answer to a request, and the events that it stored."""

    answer: bytes
    ids: tuple[UUID, ...]


class Measure(NamedTuple):
    """How many events are taken at once and in all, and whether it is kept who sent them."""

    batch_max_length: int
    allowance: Allowance
    keeps_senders: bool


class EventsIngest:
    """Takes events in. Everything it does before the database is measured in microseconds."""

    def __init__(
        self,
        *,
        gatekeeper: Gatekeeper,
        intake: Intake,
        database: Database,
        site: Site,
        measure: Measure,
    ) -> None:
        self._gatekeeper = gatekeeper
        self._intake = intake
        self._database = database
        self._site = site
        self._allowance = measure.allowance
        self._batch_max_length = measure.batch_max_length
        self._keeps_senders = measure.keeps_senders

    @staticmethod
    def takes(scope: Scope) -> bool:
        """Whether a request is for the fast lane."""
        return scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in (SINGLE, BATCH)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong has the wire's shape."""
        extra: list[tuple[bytes, bytes]] = []
        try:
            status, body = 200, await self._handle(scope, receive)
        except _Refused as error:
            status, body = 422, _encoder.encode(validation_body(error.details))
        except TallymarkError as error:
            answer = error_body(error)
            status, body = answer["status"], _encoder.encode(answer)
            extra = _limit_headers(error)
        except _TurnedAway:
            status, body = 429, b'{"status":429,"error":"Too Many Requests"}'
            extra = [(b"retry-after", b"60")]
        except IntakeFull:
            status, body = 429, b'{"status":429,"error":"Too Many Requests"}'
            extra = [(b"retry-after", b"1")]
        except Exception as error:
            log.error("event intake failed", exc_info=error)
            status, body = 500, b'{"status":500,"error":"Internal Server Error"}'
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [*_HEADERS, length, *extra]})
        await send({"type": "http.response.body", "body": body})

    async def _handle(self, scope: Scope, receive: Receive) -> bytes:
        principal = await authenticate(self._gatekeeper, _authorization(scope["headers"]))
        check_right(principal.rights, _NEEDED)
        if principal.turns_events_away:
            raise _TurnedAway
        body = await _read_body(scope, receive)
        now = await self._gatekeeper.read_clock(principal, is_write=True)
        tenant = Tenant(principal.organization_id, now, self._intake.rules)
        ticket = self._allowance.ticket(principal.organization_id, principal.event_limits or UNSAID, now)
        sender = _sender(scope) if self._keeps_senders else None
        try:
            stored = await (
                self._single(body, tenant, ticket, sender)
                if scope["path"] == SINGLE
                else self._many(body, tenant, ticket, sender)
            )
        except BaseException as error:
            ticket.give_back()
            if not isinstance(error, _Known):
                raise
            if principal.is_simulated:
                # The call that sent them first may have died between taking them in and what is to follow.
                await self._follow(principal, error.ids, now=now)
            raise
        if principal.is_simulated:
            await self._follow(principal, stored.ids, now=now)
        return stored.answer

    async def _follow(self, principal: Principal, ids: Collection[UUID], *, now: datetime) -> None:
        """Do for events of a simulated organization what a live one's worker does soon after they came in."""
        async with self._database.tenant(principal.organization_id, is_simulated=True) as tx:
            await service.note_arrived(tx, ids, now=now)
        await self._gatekeeper.settle(
            Context(
                database=self._database,
                organization_id=principal.organization_id,
                api_key_id=principal.api_key_id,
                is_simulated=True,
                now=now,
                links=self._site.links(principal.organization_id),
            )
        )

    async def _single(self, body: bytes, tenant: Tenant, ticket: Ticket, sender: Sender | None) -> _Stored:
        root = bytes(_decode(_single, body).event)
        if root in (b"", b"{}", b"null"):
            raise BadRequest.missing_root("event")
        sent = _decode_events(_event, _loose_event, root)
        await ticket.ask(1)
        while True:
            version = self._intake.rules.version
            try:
                row = read_event(sent, tenant)
                known = await self._intake.store([row], rules_version=version, sender=sender)
            except OutdatedRules:
                continue
            except InvalidEvent as error:
                if await self._are_outdated(version):
                    continue
                raise _Refused(error.errors) from None
            except FailedExpression as error:
                if await self._are_outdated(version):
                    continue
                raise _Refused(error.details) from None
            except UnstorableEvent:
                raise _Refused({"properties": ["value_is_invalid"]}) from None
            if known:
                raise _Known(DUPLICATE, known)
            return _Stored(_encoder.encode({"event": show(row)}), (row.id,))

    async def _many(self, body: bytes, tenant: Tenant, ticket: Ticket, sender: Sender | None) -> _Stored:
        data = bytes(_decode(_batch, body).events)
        if not data.startswith(b"["):
            raise _Refused({"events": ["no_events"]})
        sent = _decode_events(_events, _loose_events, data)
        if not sent:
            raise _Refused({"events": ["no_events"]})
        if len(sent) > self._batch_max_length:
            raise _Refused({"events": ["too_many_events"]})
        await ticket.ask(len(sent))
        while True:
            try:
                return await self._store_all(sent, tenant, sender)
            except OutdatedRules:
                continue

    async def _are_outdated(self, version: int) -> bool:
        """Whether the rules have changed by which events were refused: a flush of nothing brings them up to date."""
        await self._intake.store(())
        return self._intake.rules.version != version

    async def _store_all(self, sent: list[EventInput], tenant: Tenant, sender: Sender | None) -> _Stored:
        version = self._intake.rules.version
        try:
            rows = self._read_all(sent, tenant)
        except _Refused:
            if await self._are_outdated(version):
                raise OutdatedRules from None
            raise
        repeated = _repeated(rows)
        try:
            # A batch that repeats itself is stored by nobody, but what it repeats of the store is told as well.
            known = (
                await self._known(rows)
                if repeated
                else await self._intake.store(rows, rules_version=version, sender=sender)
            )
        except UnstorableEvent:
            raise _Refused({"events": ["value_is_invalid"]}) from None
        if known or repeated:
            refused = repeated.union(index for index, row in enumerate(rows) if row.id in known)
            raise _Known({str(index): DUPLICATE for index in sorted(refused)}, known)
        return _Stored(_encoder.encode({"events": show_all(rows)}), tuple(row.id for row in rows))

    def _read_all(self, sent: Iterable[EventInput], tenant: Tenant) -> list[Row]:
        rows: list[Row] = []
        errors: dict[str, Any] = {}
        tenant = replace(tenant, tells_missing_first=True)
        now = tenant.now
        for index, event in enumerate(sent):
            try:
                rows.append(read_event(event, tenant, now))
            except InvalidEvent as error:
                errors[str(index)] = error.errors
            except FailedExpression as error:
                errors[str(index)] = error.details
            # Events of one instant are told apart by the order in which they came.
            now += TICK
        if errors:
            raise _Refused(errors)
        return rows

    async def _known(self, rows: list[Row]) -> frozenset[UUID]:
        async with self._database.tenant(rows[0].organization_id) as tx:
            return await repository.known_ids(tx, [row.id for row in rows])


def _limit_headers(error: TallymarkError) -> list[tuple[bytes, bytes]]:
    """Where there are too many: how many there may be, and when there may be more."""
    if not isinstance(error, TooMany):
        return []
    told = limit_headers(limit=error.limit, remaining=0, wait=error.wait)
    told["retry-after"] = told["x-ratelimit-reset"]
    return [(name.encode(), told[name].encode()) for name in told]


def _repeated(rows: Sequence[Row]) -> set[int]:
    """Where in a batch events are that came before in it."""
    seen: set[int] = set()
    repeated: set[int] = set()
    for index, row in enumerate(rows):
        key = row.id.int
        if key in seen:
            repeated.add(index)
        seen.add(key)
    return repeated


def show(row: Row) -> EventOutput:
    """An event as the wire shows it."""
    return _show(row, timestamp_text(row.created_at))


def show_all(rows: Sequence[Row]) -> list[EventOutput]:
    """The events of one batch: nearly all of them came within a millisecond, whose text is made once."""
    shown: list[EventOutput] = []
    text, since, until = "", EPOCH, EPOCH
    for row in rows:
        if not since <= row.created_at < until:
            text = timestamp_text(row.created_at)
            since = row.created_at
            until = since + timedelta(microseconds=1_000 - since.microsecond % 1_000)
        shown.append(_show(row, text))
    return shown


def _show(row: Row, created_at: str) -> EventOutput:
    return EventOutput(
        lago_id=row.id,
        transaction_id=row.transaction_id,
        code=row.code,
        timestamp=created_at if row.timestamp is row.created_at else timestamp_text(row.timestamp),
        precise_total_amount_cents=row.precise_total_amount_cents,
        properties=row.properties,
        external_subscription_id=row.external_subscription_id or None,
        created_at=f"{created_at[:19]}Z",
    )


def timestamp_text(instant: datetime) -> str:
    """An instant in UTC with exactly three decimals, cut."""
    return f"{instant.isoformat(timespec='milliseconds')[:23]}Z"


def _decode(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body or b"{}")
    except msgspec.ValidationError:
        raise _no_root(decoder) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest from None


def _decode_events(decoder: msgspec.json.Decoder[Any], loose: msgspec.json.Decoder[Any], body: bytes) -> Any:
    """Events as they were sent; what the quick decoder refuses for its ids is read digit by digit."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        try:
            found = loose.decode(body)
            return [item.with_ids() for item in found] if isinstance(found, list) else found.with_ids()
        except msgspec.ValidationError:
            raise _no_root(decoder) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest from None


def _no_root(decoder: msgspec.json.Decoder[Any]) -> Exception:
    """What is wrong with JSON of another shape than expected."""
    if decoder is _events:
        return _Refused({"events": ["value_is_invalid"]})
    if decoder is _event:
        return _Refused({"event": ["value_is_invalid"]})
    return BadRequest.missing_root("event" if decoder is _single else "events")


def _authorization(headers: Iterable[tuple[bytes, bytes]]) -> str:
    for name, value in headers:
        if name == b"authorization":
            return value.decode("latin-1")
    raise Unauthorized


def _sender(scope: Scope) -> Sender:
    """Where a request came from, as the server tells it, and what its client calls itself."""
    caller, agent = scope.get("client"), b""
    for name, value in scope["headers"]:
        if name == b"user-agent":
            agent = value[:LONGEST]
            break
    return _sender_of(caller[0] if caller else None, agent)


@lru_cache(maxsize=1_000)
def _sender_of(address: str | None, agent: bytes) -> Sender:
    return Sender.of(address, agent.decode("latin-1"))


async def _read_body(scope: Scope, receive: Receive) -> bytes:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > LARGEST_BODY:
            raise PayloadTooLarge
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            raise PayloadTooLarge
    return b"".join(parts)
