"""The courier: tells what the outbox holds to those who want to know, beside the queue and by real time (platform §9.3)."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog

from tallymark.api.links import Site
from tallymark.db.engine import Database, Tx
from tallymark.domain.exact import Fraction
from tallymark.jobs import tracing
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.webhooks import repository, service
from tallymark.rooms.webhooks.bodies import make_bodies
from tallymark.rooms.webhooks.model import KEPT_DAYS, Algorithm, Delivery, Endpoint
from tallymark.rooms.webhooks.ports import Post
from tallymark.rooms.webhooks.signing import JwtSigner, sign_hmac

CHANNEL = "tallymark_webhooks"
TICK_SECONDS = 1
"""How long a message waits at most where its notification was lost."""

GRACE_SECONDS = 8
"""How long deliveries under way may take once the courier is told to stop; then they are tried again later."""

_MESSAGES = 100
_AT_ONCE = 16  # deliveries to one endpoint
_CONNECTIONS = 2  # of the pool that it shares with everybody else
_LONG_AGO = timedelta(hours=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How the courier works: attempts in all, when one counts as lost, and what is the real time."""

    attempts: int
    lost_after: timedelta
    clock: Callable[[], datetime]


class Courier:
    """Delivers webhooks. Any number may work beside each other: a delivery is claimed before it is sent."""

    def __init__(
        self, database: Database, *, post: Post, signer: JwtSigner, site: Site, terms: Terms
    ) -> None:
        self._database, self._post, self._signer, self._site = database, post, signer, site
        self._terms, self._clock = terms, terms.clock
        self._under_way: dict[UUID, asyncio.Task[None]] = {}
        self._retries: list[datetime] = []
        self._turns = asyncio.Semaphore(_CONNECTIONS)
        self._forgot_at: datetime | None = None
        self.tally: Counter[str] = Counter(accepted=0, refused=0, unanswered=0)
        """What came of the attempts since it began."""
        self.given_up = 0
        """How many deliveries have failed for the last time since then."""

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set."""
        async with self._database.listening(CHANNEL) as wait:
            try:
                while not stop.is_set():
                    has_more = await self._tell_all()
                    await self._start_due()
                    await self._forget_old()
                    if not has_more:
                        await wait(self._seconds_to_wait())
            finally:
                await self._end()

    async def deliver(self, organization_id: UUID) -> None:
        """Tell an organization all that is due now, and come back when it has been sent."""
        while await self._tell_some(organization_id):
            pass
        async with self._database.system() as connection:
            due = await repository.endpoints_due(connection, now=self._clock())
        await asyncio.gather(*(self._serve(owner, key) for owner, key in due if owner == organization_id))

    async def _tell_all(self) -> bool:
        """Tell each organization some, in turns, so that a long billing run of one delays no other; say if there is more."""
        async with self._turns, self._database.system() as connection:
            waiting = await repository.organizations_to_tell(connection)
        has_more = False
        for organization_id in waiting:
            try:
                has_more |= await self._tell_some(organization_id)
            except Exception:
                log.exception("organization is not told", organization_id=str(organization_id))
        return has_more

    async def _tell_some(self, organization_id: UUID) -> bool:
        async with self._transaction(organization_id) as tx:
            messages, endpoints = await service.begin_telling(tx, limit=_MESSAGES)
            wanted = [told for told in messages if any(one.wants(told.webhook_type) for one in endpoints)]
            made, failed = await make_bodies(tx, wanted, self._site)
            for told, error in failed:
                await service.put_aside(tx, told, error)
            unwanted = [(told, "") for told in messages if told not in wanted]
            await service.make_deliveries(tx, [*made, *unwanted], endpoints, now=self._clock())
        return len(messages) == _MESSAGES

    async def _start_due(self) -> None:
        async with self._turns, self._database.system() as connection:
            due = await repository.endpoints_due(connection, now=self._clock())
        for organization_id, endpoint_id in due:
            if endpoint_id not in self._under_way:
                task = asyncio.create_task(self._serve(organization_id, endpoint_id))
                self._under_way[endpoint_id] = task
                task.add_done_callback(partial(self._note_end, endpoint_id))

    def _note_end(self, endpoint_id: UUID, _: asyncio.Task[None]) -> None:
        self._under_way.pop(endpoint_id, None)

    async def _serve(self, organization_id: UUID, endpoint_id: UUID) -> None:
        """Send to one endpoint until nothing is due any more; how long it takes is its own affair."""
        try:
            while True:
                async with self._transaction(organization_id) as tx:
                    now = self._clock()
                    lost_at = now + self._terms.lost_after
                    claimed = await service.claim(tx, endpoint_id, now=now, lost_at=lost_at, limit=_AT_ONCE)
                    key = str(await organizations.get_hmac_key(tx))
                if claimed is None:
                    return
                endpoint, deliveries = claimed
                await asyncio.gather(*(self._send(endpoint, delivery, key) for delivery in deliveries))
        except Exception:
            log.exception("endpoint is not served", endpoint_id=str(endpoint_id))

    async def _send(self, endpoint: Endpoint, delivery: Delivery, hmac_key: str) -> None:
        tracing.current.set(delivery.traceparent)
        body = delivery.body.encode()
        is_hmac = endpoint.signature_algo is Algorithm.HMAC
        headers = {
            "Content-Type": "application/json",
            "X-Lago-Signature": sign_hmac(body, hmac_key) if is_hmac else self._signer.sign(body),
            "X-Lago-Signature-Algorithm": endpoint.signature_algo.value,
            "X-Lago-Unique-Key": str(delivery.id),
            "X-Tallymark-Object": delivery.object_key,
            "X-Tallymark-Sequence": str(delivery.sequence),
        }
        answer = await self._post(endpoint.webhook_url, body, headers)
        outcome = "accepted" if answer.is_accepted else "unanswered" if answer.status is None else "refused"
        self.tally[outcome] += 1
        async with self._transaction(endpoint.organization_id) as tx:
            again_at = await service.record(
                tx,
                delivery,
                answer,
                attempts=self._terms.attempts,
                chance=Fraction(secrets.randbelow(1001), 1000),
                now=self._clock(),
            )
        if again_at is not None:
            self._retries.append(again_at)
        elif not answer.is_accepted:
            self.given_up += 1

    @asynccontextmanager
    async def _transaction(self, organization_id: UUID) -> AsyncIterator[Tx]:
        async with self._turns, self._database.tenant(organization_id) as tx:
            yield tx

    def _seconds_to_wait(self) -> Fraction:
        """Until the next retry of its own, a tick at the most."""
        now = self._clock()
        self._retries = [again_at for again_at in self._retries if again_at > now]
        until = min((again_at - now for again_at in self._retries), default=timedelta(seconds=TICK_SECONDS))
        return min(Fraction(TICK_SECONDS), Fraction(until // timedelta(microseconds=1) + 1, 1_000_000))

    async def _forget_old(self) -> None:
        now = self._clock()
        if self._forgot_at is None or now - self._forgot_at > _LONG_AGO:
            self._forgot_at = now
            async with self._turns, self._database.system() as connection:
                await repository.delete_before(connection, now - timedelta(days=KEPT_DAYS))

    async def _end(self) -> None:
        tasks = [*self._under_way.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
