"""Two lives of one customer, each in an organization of its own: one undisturbed, one with power cuts."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import Uuid, text
from tests import kit
from tests.faults.power import Rows, cut_everywhere
from tests.faults.use_cases import FAST_LANE, route_of

from tallymark.db.engine import Database
from tallymark.db.tables import invoices
from tallymark.jobs.agenda import Kind
from tallymark.worker import Tasks

START = "2026-01-01T00:00:00Z"

ADVANCE = "POST /test_clock/advance"

APART = {"api_logs", "idempotent_answers"}
"""Tables that tell how often was asked, and not what came of it."""

OWN_NAMES = {
    "id", "stream_id", "sender_id", "message_id", "key_hash", "api_keys.ending", "token_hash", "last_used_at",
    "journal_entries.sequence", "backfilled_events.position", "test_clocks.calls", "test_clocks.status", "rollup_id",
    "rollup_parts.moment", "payment_providers.secrets", "provider_events.body", "provider_events.digest",
}  # fmt: skip

OWN_WORDS = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "#"),
    (re.compile(r"\bACM-[0-9A-F]{4}"), "ACM"),
    (re.compile(r"\bacme(-[0-9a-z]{3})+\b"), "acme"),
    (re.compile(r'"\d{20}"'), "then"),
    (re.compile(r'"version": \d+, "built_at"'), '"built_at"'),  # counted over all roll-ups there are
)
"""What differs between two organizations that have the same."""

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+(Z|\+00:00)")


def _read_everything() -> str:
    """One statement for all rows of an organization, without what names them."""
    parts = []
    for table in invoices.metadata.sorted_tables:
        if "organization_id" not in table.c or table.name in APART:
            continue
        own = [c.name for c in table.c if isinstance(c.type, Uuid) or {c.name, str(c)} & OWN_NAMES]
        shown = f"(to_jsonb({table.name}) - CAST('{{{','.join(own)}}}' AS text[]))::text"
        parts.append(
            f"SELECT '{table.name}' AS name, {shown} AS row FROM {table.name} WHERE organization_id = :id"
        )
    # Each call moves a clock by a microsecond.
    seconds = r"regexp_replace(row, '(\d\d:\d\d:\d\d)\.\d+', '\1', 'g')"
    return f"SELECT name, {seconds} FROM ({' UNION ALL '.join(parts)}) AS everything".replace(r"\d:", r"\d\:")


SOON = text("""
    SELECT extract(epoch FROM max(run_at) - clock_timestamp()) FROM agenda
    WHERE organization_id = :id AND parked_at IS NULL
      AND run_at > clock_timestamp() AND run_at < clock_timestamp() + interval '2 seconds'
""")
EVERYTHING = text(_read_everything())


@dataclass
class World:
    """An organization whose customer lives; `kept` are ids that steps need of each other."""

    client: httpx.AsyncClient
    database: Database
    tasks: Tasks
    organization_id: UUID
    is_simulated: bool = True
    has_moved: bool = False
    step: int = 0
    calls: int = 0
    kept: dict[str, str] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    """The routes of the step."""

    async def get(self, path: str, **query: Any) -> kit.Json:
        return await kit.get(self.client, path, **query)

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> kit.Json:
        """A call of a client who wants it done once, whatever becomes of the answers: a POST has a key, anything else is
        looked for, and called again where nothing has happened. What is to follow does, either way.
        """
        route = route_of(method, path)
        self.called.add(route)
        if self.has_moved and method != "POST":
            await self.settle()
            return {}
        self.calls += 1
        # An advance that died is gone on with by the next.
        is_keyed = method == "POST" and route != ADVANCE
        key = {"Idempotency-Key": f"{self.step}-{self.calls}"} if is_keyed else {}
        answer = await self.client.request(method, path, json=body, headers=key, params=query or None)
        if self.has_moved and route in FAST_LANE and answer.status_code == 422:
            return {}  # they are there: an event's own id is its key
        assert answer.status_code == 200, f"{method} {path} -> {answer.status_code}: {answer.text}"
        found: kit.Json = answer.json() if answer.content else {}
        return found

    async def settle(self) -> None:
        """What a worker does once it is back."""
        if not self.is_simulated:
            await self.tasks.run_due_work(organization_id=self.organization_id, owner_id=None)
            # What waits a second for events in flight is done before worlds are compared, however fast each went.
            while (seconds := await self._due_in()) is not None:
                await asyncio.sleep(seconds)
                await self.tasks.run_due_work(organization_id=self.organization_id, owner_id=None)
            return
        clock = (await self.get("/test_clock"))["test_clock"]["frozen_time"]
        await kit.post(self.client, "/test_clock/advance", {"test_clock": {"to": clock}})

    async def _due_in(self) -> float | None:
        """Seconds until the last work that is due in a moment."""
        async with self.database.system() as connection:
            found = (await connection.execute(SOON, {"id": self.organization_id})).scalar_one()
        return None if found is None else float(found)

    def fill(self, asked: Any) -> Any:
        """A path or a body, with what was kept in the place of `{names}`."""
        match asked:
            case str():
                return asked.format(**self.kept) if "{" in asked else asked
            case dict():
                return {name: self.fill(one) for name, one in asked.items()}
            case list():
                return [self.fill(one) for one in asked]
            case _:
                return asked

    async def state(self) -> Rows:
        """All rows of the organization."""
        async with self.database.system() as connection:
            rows = (await connection.execute(EVERYTHING, {"id": self.organization_id})).all()
        return Counter(
            (name, what if self.is_simulated else INSTANT.sub("then", what)) for name, what in rows
        )

    def tell(self, state: Rows) -> Rows:
        """A state without what is the organization's own."""
        told: Rows = Counter()
        for (name, what), count in state.items():
            for pattern, shown in OWN_WORDS:
                what = pattern.sub(shown, what)
            told[name, what] += count
        return told


Step = Callable[[World], Awaitable[None]]


@dataclass
class Lives:
    """Both lives, and what was done in them while power was cut: routes, kinds of due work, jobs."""

    calm: World
    stormy: World
    worked: set[Kind] = field(default_factory=set)
    done: set[str | Kind] = field(default_factory=set)
    is_broken: bool = False

    async def live(self, *steps: Step) -> None:
        """Steps that a test is not about: undisturbed in both."""
        for step in steps:
            for world in (self.calm, self.stormy):
                self._begin(world)
                await step(world)

    async def cut(self, *steps: Step) -> None:
        """Steps with a cut after every write."""
        for step in steps:
            self.is_broken = True
            for world in (self.calm, self.stormy):
                self._begin(world)
            self.worked.clear()

            async def act(world: World, step: Step = step) -> None:
                world.calls = 0
                await step(world)

            await cut_everywhere(self.calm.database, act, calm=self.calm, stormy=self.stormy)
            self.done |= self.calm.called | self.worked
            self.is_broken = False

    @staticmethod
    def _begin(world: World) -> None:
        world.step += 1
        world.calls = 0
        world.called.clear()
