"""A flush: events of several requests stored in one transaction, on a connection that does one after another.

It runs under a role that may add events and see their keys, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import structlog

from tallymark.db.engine import INGEST_ROLE
from tallymark.metering.columns import Column, register_columns
from tallymark.metering.rules import UNKNOWN, Rules
from tallymark.metering.senders import Sender, SenderKey, Senders, sender_key
from tallymark.metering.storing import (
    ADD_STREAMS,
    FIND_STREAMS,
    STATEMENTS,
    Row,
    columns_of,
    sender_of_all,
    senders_of,
)

log = structlog.get_logger(__name__)

_STREAM_CACHE = 500_000


class UnstorableEvent(Exception):
    """The database can't hold this event's values."""


class OutdatedRules(Exception):
    """The events were read by expressions that have changed: read them again."""


StreamKey = tuple[int, str, str]
"""An organization, by the number of its id, which is quicker to look up; a subscription and a code."""


@dataclass(eq=False, slots=True)
class Request:
    """Events that are stored together or not at all, and whoever waits for what comes of them."""

    rows: Sequence[Row]
    rules_version: int
    sender: Sender | None
    """Who sent them, None where that is not kept."""
    stored: asyncio.Future[frozenset[UUID]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def sender_key(self) -> SenderKey | None:
        """Who sent them, and when, by their organization's clock."""
        if self.sender is None or not self.rows:
            return None
        first = self.rows[0]
        return sender_key(first.organization_id, first.created_at, self.sender)

    def settle(self, known: frozenset[UUID]) -> None:
        """Tell which of its events were there before."""
        if not self.stored.done():
            self.stored.set_result(known)

    def fail(self, error: BaseException) -> None:
        """Tell that nothing of it is stored, and why."""
        if not self.stored.done():
            self.stored.set_exception(error)

    def known_of(self, known: frozenset[UUID]) -> frozenset[UUID]:
        """Which of some keys it has."""
        return frozenset(row.id for row in self.rows if row.id in known) if known else known


class _ReadByOthers(Exception):
    """Requests that were read by other expressions than there are."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self.requests = list(requests)
        super().__init__()


class Line:
    """A connection on which flushes follow one another; it shares what it knows of streams, senders and rules with other lines."""

    def __init__(self, conninfo: str, streams: dict[StreamKey, int], senders: Senders, rules: Rules) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._streams = streams
        self._senders = senders
        self._rules = rules

    async def flush(self, requests: list[Request]) -> None:
        """Store what is asked for, settle each request, and let what is wrong with one fail that one alone."""
        try:
            await self._flush(requests)
        except psycopg.DataError as error:
            if len(requests) == 1:
                requests[0].fail(UnstorableEvent(str(error)))
                return
            for request in requests:
                await self.flush([request])
        except Exception as error:
            log.error("storing events failed", events=sum(len(r.rows) for r in requests), exc_info=error)
            await self.close()
            for request in requests:
                request.fail(error)

    async def close(self) -> None:
        """Close the connection; the next flush opens another."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _flush(self, requests: list[Request]) -> None:
        connection = await self._connect()
        while requests:
            refused: list[Request] = []
            try:
                if all(len(request.rows) == 1 for request in requests):
                    known = await self._insert(connection, requests)
                else:
                    known, refused = await self._insert_batches(connection, requests)
            except _ReadByOthers as found:
                for request in found.requests:
                    request.fail(OutdatedRules())
                requests = [request for request in requests if request not in found.requests]
                continue
            if refused:
                requests = [request for request in requests if request not in refused]
                continue
            for request in requests:
                request.settle(request.known_of(known))
            return

    async def _insert_batches(
        self, connection: psycopg.AsyncConnection[Any], requests: list[Request]
    ) -> tuple[frozenset[UUID], list[Request]]:
        """Insert in one transaction; if a batch has a duplicate, take all back and tell which batches are refused."""
        refused = []
        known: frozenset[UUID] = frozenset()
        # Beforehand: streams and senders stay, whatever becomes of the batch.
        await self._find_streams(connection, [row for request in requests for row in request.rows])
        await self._find_senders(connection, requests)
        async with connection.transaction() as transaction:
            known = await self._insert(connection, requests)
            refused = [request for request in requests if len(request.rows) > 1 and request.known_of(known)]
            if refused:
                raise psycopg.Rollback(transaction)
        for request in refused:
            request.settle(request.known_of(known))
        return known, refused

    async def _insert(
        self, connection: psycopg.AsyncConnection[Any], requests: list[Request]
    ) -> frozenset[UUID]:
        """Insert what is not there yet, and return the keys of what is."""
        rows = [row for request in requests for row in request.rows]
        streams = await self._find_streams(connection, rows)
        senders = await self._find_senders(connection, requests)
        rules = self._rules
        while True:
            # What is known of the rules is looked at in one go: another line may learn while this one waits.
            version = rules.version
            outdated = [request for request in requests if self._is_outdated(request)]
            if outdated:
                raise _ReadByOthers(outdated)
            late = self._late(rows)
            noted = [
                {"o": row.organization_id, "i": row.id, "s": streams[index]}
                for index, row in enumerate(rows)
                if rules.take(row.organization_id, row.code) and index not in late
            ]
            marked = self._watched(rows)
            into = (
                [-stream if index in late else stream for index, stream in enumerate(streams)]
                if late
                else streams
            )
            cursor = await connection.execute(
                STATEMENTS[bool(noted), bool(marked), not rules.rolled.isdisjoint(streams), bool(late)],
                {
                    **columns_of(rows, into),
                    **senders,
                    # A flush of nothing is told what it stored as well: it asks whether the rules are right.
                    "count": max(len(rows), 1),
                    "version": version,
                    "noted": msgspec.json.encode(noted).decode(),
                    "marked": msgspec.json.encode(marked).decode(),
                },
                prepare=True,
                binary=True,
            )
            ((stored,),) = await cursor.fetchall()
            if stored is None:
                return frozenset()
            # Nothing stored: all were known, or what this process knew of the codes is out of date.
            if stored or await rules.learn(connection) == version:
                return frozenset(row.id for row in rows).difference(stored)

    def _is_outdated(self, request: Request) -> bool:
        """Whether expressions came or changed since it was read; one that is gone has done no harm to what has none now."""
        if request.rules_version == self._rules.version:
            return False
        return request.rules_version != UNKNOWN or any(
            self._rules.computed(row.organization_id, row.code) for row in request.rows
        )

    def _watched(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The subscriptions of organizations where somebody watches usage."""
        watching = self._rules.watching
        if not watching:
            return []
        found = {
            (row.organization_id, row.external_subscription_id)
            for row in rows
            if row.organization_id in watching
        }
        return [{"o": organization_id, "s": subscription} for organization_id, subscription in found]

    def _late(self, rows: Sequence[Row]) -> frozenset[int]:
        """Where what came longer after its time than its organization wants is."""
        late_after = self._rules.late_after
        if not late_after:
            return frozenset()
        return frozenset(
            index
            for index, row in enumerate(rows)
            if (longest := late_after.get(row.organization_id)) is not None
            and row.created_at - row.timestamp > longest
        )

    async def _find_streams(self, connection: psycopg.AsyncConnection[Any], rows: Sequence[Row]) -> list[int]:
        """The stream of each row; those that are not there are made."""
        known = self._streams
        keys = [(row.organization_id.int, row.external_subscription_id, row.code) for row in rows]
        while True:
            # Another line may have forgotten some while this one asked.
            streams = [known.get(key) for key in keys]
            unknown = {key for key, stream in zip(keys, streams, strict=True) if stream is None}
            if not unknown:
                return [stream for stream in streams if stream is not None]
            if len(known) > _STREAM_CACHE:
                known.clear()
            asked = [{"o": UUID(int=o), "s": s, "c": c} for o, s, c in sorted(unknown)]
            encoded = msgspec.json.encode(asked).decode()
            await connection.execute(ADD_STREAMS, [encoded])
            cursor = await connection.execute(FIND_STREAMS, [encoded])
            for organization_id, subscription, code, stream_id in await cursor.fetchall():
                known[organization_id.int, subscription, code] = stream_id

    async def _find_senders(
        self, connection: psycopg.AsyncConnection[Any], requests: Sequence[Request]
    ) -> Mapping[str, Column | int]:
        """Who sent the rows, as the statements take it; those that are not there are made."""
        keys = [request.sender_key for request in requests]
        if keys.count(keys[0]) == len(keys):
            (number,) = await self._senders.numbers_of(connection, keys[:1])
            return sender_of_all(number)
        numbers = await self._senders.numbers_of(connection, keys)
        return senders_of(
            [(number, len(request.rows)) for request, number in zip(requests, numbers, strict=True)]
        )

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._conninfo, autocommit=True, application_name="tallymark intake"
            )
            register_columns(self._connection)
            await self._connection.execute(f"SET ROLE {INGEST_ROLE}")
            # Acknowledged means on disk, whatever the server's default is.
            await self._connection.execute("SET synchronous_commit = on")
        return self._connection
