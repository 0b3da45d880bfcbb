"""Group commit: while one flush is under way, what arrives queues up and goes in together in the next (ARCHITECTURE §4).

No timer is needed: an idle server flushes at once, a busy one in ever larger groups. An answer is given only after the
commit. The flush runs under a role that may add events and see their keys, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import structlog

from tallymark.db.engine import INGEST_ROLE
from tallymark.metering.rules import UNKNOWN, Rules
from tallymark.metering.storing import ADD_STREAMS, FIND_STREAMS, STATEMENTS, Record

log = structlog.get_logger(__name__)

LARGEST_FLUSH = 8_000
"""Events that go into one transaction; more wait for the next."""

MOST_WAITING = 50_000
"""Events that may wait; beyond it requests are turned away."""

_STREAM_CACHE = 500_000


class IntakeFull(Exception):
    """Too many events wait to be stored: try again in a moment."""


class UnstorableEvent(Exception):
    """The database can't hold this event's values."""


class OutdatedRules(Exception):
    """The events were read by expressions that have changed: read them again."""


class Row(msgspec.Struct, frozen=True):
    """An event to store: its key, its stream, and the JSON of its properties as it came."""

    id: UUID
    organization_id: UUID
    external_subscription_id: str
    code: str
    transaction_id: str
    timestamp: datetime
    created_at: datetime
    properties: msgspec.Raw
    precise_total_amount_cents: str | None


StreamKey = tuple[int, str, str]
"""An organization, by the number of its id, which is quicker to look up; a subscription and a code."""


@dataclass(eq=False, slots=True)
class _Request:
    rows: Sequence[Row]
    rules_version: int
    stored: asyncio.Future[frozenset[UUID]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class _ReadByOthers(Exception):
    """Requests that were read by other expressions than there are."""

    def __init__(self, requests: Sequence[_Request]) -> None:
        self.requests = list(requests)
        super().__init__()


class Intake:
    """Stores events; one flush at a time."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._waiting: list[_Request] = []
        self._waiting_rows = 0
        self._wake = asyncio.Event()
        self._streams: dict[StreamKey, int] = {}
        self.rules = Rules()
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False

    async def __aenter__(self) -> Intake:
        self._task = asyncio.create_task(self._run(), name="event intake")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        if self._connection is not None:
            await self._connection.close()

    async def store(self, rows: Sequence[Row], *, rules_version: int = UNKNOWN) -> frozenset[UUID]:
        """Store rows, all or none, and return the keys of those that exist already: none are stored then.

        `rules_version` is that of the rules by which they were read. Returns after the commit. Raises `IntakeFull`,
        `OutdatedRules`, `UnstorableEvent`, or what the database raised.
        """
        if self._waiting_rows + len(rows) > MOST_WAITING or self._is_closing:
            raise IntakeFull
        request = _Request(rows, rules_version)
        self._waiting.append(request)
        self._waiting_rows += len(rows)
        self._wake.set()
        return await request.stored

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._flush_safely(self._take())
            if self._is_closing:
                return

    def _take(self) -> list[_Request]:
        """The requests of the next flush; one that shares a key with an earlier one waits for its outcome."""
        taken: list[_Request] = []
        left: list[_Request] = []
        keys: set[int] = set()
        count = 0
        for request in self._waiting:
            own = {row.id.int for row in request.rows}
            is_full = taken and count + len(request.rows) > LARGEST_FLUSH
            if is_full or not keys.isdisjoint(own):
                left.append(request)
                continue
            taken.append(request)
            keys |= own
            count += len(request.rows)
        self._waiting = left
        self._waiting_rows -= count
        return taken

    async def _flush_safely(self, requests: list[_Request]) -> None:
        """Flush, and let what is wrong with one request fail that request alone."""
        try:
            await self._flush(requests)
        except psycopg.DataError as error:
            if len(requests) == 1:
                _fail(requests, UnstorableEvent(str(error)))
                return
            for request in requests:
                await self._flush_safely([request])
        except Exception as error:
            log.error("storing events failed", events=sum(len(r.rows) for r in requests), exc_info=error)
            await self._drop_connection()
            _fail(requests, error)

    async def _flush(self, requests: list[_Request]) -> None:
        connection = await self._connect()
        await self._know_streams(connection, requests)
        while requests:
            refused: list[_Request] = []
            try:
                if all(len(request.rows) == 1 for request in requests):
                    known = await self._insert(connection, requests)
                else:
                    known, refused = await self._insert_batches(connection, requests)
            except _ReadByOthers as found:
                _fail(found.requests, OutdatedRules())
                requests = [request for request in requests if request not in found.requests]
                continue
            if refused:
                requests = [request for request in requests if request not in refused]
                continue
            for request in requests:
                _settle(request, _known_of(request, known))
            return

    async def _insert_batches(
        self, connection: psycopg.AsyncConnection[Any], requests: list[_Request]
    ) -> tuple[frozenset[UUID], list[_Request]]:
        """Insert in one transaction; if a batch has a duplicate, take all back and tell which batches are refused."""
        refused = []
        known: frozenset[UUID] = frozenset()
        async with connection.transaction() as transaction:
            known = await self._insert(connection, requests)
            refused = [request for request in requests if len(request.rows) > 1 and _known_of(request, known)]
            if refused:
                raise psycopg.Rollback(transaction)
        for request in refused:
            _settle(request, _known_of(request, known))
        return known, refused

    async def _insert(
        self, connection: psycopg.AsyncConnection[Any], requests: list[_Request]
    ) -> frozenset[UUID]:
        """Insert what is not there yet, and return the keys of what is."""
        rows = [row for request in requests for row in request.rows]
        streams = [self._stream_of(row) for row in rows]
        rules = self.rules
        while True:
            outdated = [request for request in requests if self._is_outdated(request)]
            if outdated:
                raise _ReadByOthers(outdated)
            late = self._late(rows)
            records = [_record(row, stream_id) for row, stream_id in zip(rows, streams, strict=True)]
            for index in late:
                records[index].s = -streams[index]
            noted = [
                {"o": row.organization_id, "i": row.id, "s": streams[index]}
                for index, row in enumerate(rows)
                if rules.take(row.organization_id, row.code) and index not in late
            ]
            marked = self._watched(rows)
            cursor = await connection.execute(
                STATEMENTS[bool(noted), bool(marked), not rules.rolled.isdisjoint(streams), bool(late)],
                {
                    "records": msgspec.json.encode(records).decode(),
                    # A flush of nothing is told what it stored as well: it asks whether the rules are right.
                    "count": max(len(rows), 1),
                    "version": rules.version,
                    "noted": msgspec.json.encode(noted).decode(),
                    "marked": msgspec.json.encode(marked).decode(),
                },
                prepare=True,
                binary=True,
            )
            ((stored,),) = await cursor.fetchall()
            if stored is None:
                return frozenset()
            # Nothing stored: all were known, or what this process knows of the codes is out of date.
            if stored or not await rules.learn(connection):
                return frozenset(row.id for row in rows).difference(stored)

    def _is_outdated(self, request: _Request) -> bool:
        """Whether expressions came or changed since it was read; one that is gone has done no harm to what has none now."""
        if request.rules_version == self.rules.version:
            return False
        return request.rules_version != UNKNOWN or any(
            self.rules.computed(row.organization_id, row.code) for row in request.rows
        )

    def _watched(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The subscriptions of organizations where somebody watches usage."""
        watching = self.rules.watching
        if not watching:
            return []
        found = {
            (row.organization_id, row.external_subscription_id)
            for row in rows
            if row.organization_id in watching
        }
        return [{"o": organization_id, "s": subscription} for organization_id, subscription in found]

    def _stream_of(self, row: Row) -> int:
        return self._streams[_stream_key(row)]

    def _late(self, rows: Sequence[Row]) -> frozenset[int]:
        """Where what came longer after its time than its organization wants is."""
        late_after = self.rules.late_after
        if not late_after:
            return frozenset()
        return frozenset(
            index
            for index, row in enumerate(rows)
            if (longest := late_after.get(row.organization_id)) is not None
            and row.created_at - row.timestamp > longest
        )

    async def _know_streams(self, connection: psycopg.AsyncConnection[Any], requests: list[_Request]) -> None:
        if len(self._streams) > _STREAM_CACHE:
            self._streams.clear()
        unknown = {
            key
            for request in requests
            for row in request.rows
            if (key := _stream_key(row)) not in self._streams
        }
        if not unknown:
            return
        streams = [{"o": UUID(int=o), "s": s, "c": c} for o, s, c in sorted(unknown)]
        asked = msgspec.json.encode(streams).decode()
        await connection.execute(ADD_STREAMS, [asked])
        cursor = await connection.execute(FIND_STREAMS, [asked])
        for organization_id, subscription, code, stream_id in await cursor.fetchall():
            self._streams[organization_id.int, subscription, code] = stream_id

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._conninfo, autocommit=True, application_name="tallymark intake"
            )
            await self._connection.execute(f"SET ROLE {INGEST_ROLE}")
            # Acknowledged means on disk, whatever the server's default is.
            await self._connection.execute("SET synchronous_commit = on")
        return self._connection

    async def _drop_connection(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


def _stream_key(row: Row) -> StreamKey:
    return row.organization_id.int, row.external_subscription_id, row.code


def _record(row: Row, stream_id: int) -> Record:
    return Record(
        row.id,
        stream_id,
        row.timestamp,
        row.created_at,
        row.organization_id,
        row.transaction_id,
        row.properties,
        row.precise_total_amount_cents,
    )


def _known_of(request: _Request, known: frozenset[UUID]) -> frozenset[UUID]:
    """Which of the keys that are there already a request has."""
    return frozenset(row.id for row in request.rows if row.id in known) if known else known


def _settle(request: _Request, known: frozenset[UUID]) -> None:
    if not request.stored.done():
        request.stored.set_result(known)


def _fail(requests: Sequence[_Request], error: BaseException) -> None:
    for request in requests:
        if not request.stored.done():
            request.stored.set_exception(error)
