"""The worker and the scheduler: what is due is done once and soon, and what fails or is cut off comes back."""

import asyncio
import shutil
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from procrastinate.jobs import Job as QueuedJob
from sqlalchemy import text

from tallymark import worker
from tallymark.db.embedded import embedded_postgres_server
from tallymark.db.engine import Database
from tallymark.db.holding import Hold, add_hold, end_holds, find_hold
from tallymark.db.migrate import migrate
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.queue import RENDER_DOCUMENT, RUN_DUE_WORK, Job, enqueue, enqueue_due_work
from tallymark.jobs.schedule import MANY, enqueue_what_is_due
from tallymark.rooms.organizations import service
from tallymark.worker import BackOff, Tasks, make_queue, retry_stalled_jobs, run_worker


@pytest.fixture(scope="module")
def server():
    folder = Path(tempfile.mkdtemp(prefix="tm-"))
    folder.chmod(0o755)
    with embedded_postgres_server(folder) as url:
        migrate(url)
        yield url
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def database(server):
    database = Database(server, pool_size=5)
    async with database.system() as connection:
        await connection.execute(
            text("TRUNCATE procrastinate_jobs, procrastinate_workers, agenda, holds CASCADE")
        )
    yield database
    await database.close()


@pytest.fixture
async def organization_id(database) -> UUID:
    async with database.system() as connection:
        made = await service.create_organization(
            connection, name="Hooli", email=None, now=datetime(2024, 1, 1, tzinfo=UTC)
        )
    return made.organization_id


class Calls:
    """Tasks that note what they were asked to do; `during` runs while they do it."""

    def __init__(self, during: Callable[[], Awaitable[None]] | None = None) -> None:
        self.seen: list[UUID] = []
        self.done: list[UUID] = []
        self._during = during

    async def _do(self, subject: UUID) -> None:
        self.seen.append(subject)
        if self._during is not None:
            await self._during()
        self.done.append(subject)

    async def run_due_work(self, *, organization_id: UUID, owner_id: UUID | None) -> None:
        await self._do(owner_id or organization_id)

    async def render_document(self, *, organization_id: UUID, invoice_id: UUID, is_anew: bool) -> None:
        await self._do(invoice_id)

    async def render_credit_note(self, *, organization_id: UUID, note_id: UUID) -> None:
        await self._do(note_id)

    async def render_receipt(self, *, organization_id: UUID, receipt_id: UUID) -> None:
        await self._do(receipt_id)

    async def build_rollups(self) -> None:
        """Nobody reads any."""

    async def send_email(self, *, organization_id: UUID, email_id: UUID, is_simulated: bool) -> None:
        await self._do(email_id)

    async def send_password_reset(self, *, email: str, user_agent: str, ip_address: str | None) -> None:
        """Nobody has forgotten one."""

    async def send_sign_up(self, *, email: str) -> None:
        raise AssertionError("nobody signs up here")

    async def export_data(self, *, organization_id: UUID, export_id: UUID) -> None:
        await self._do(export_id)

    async def bring_export(self, *, organization_id: UUID, export_id: UUID) -> None:
        await self._do(export_id)

    async def forget_exports(self) -> None:
        """There are none."""

    async def send_notice(self, *, organization_id: UUID, kind: str, about: str) -> None:
        """Nobody is told anything."""

    async def follow_events(self) -> None:
        """Nobody sends any."""

    async def archive_events(self) -> None:
        """All are kept."""

    async def keep_months(self) -> None:
        """There are enough."""

    async def forget_logs(self) -> None:
        """There are none."""

    async def forget_answers(self) -> None:
        """There are none."""

    @property
    def tasks(self) -> Tasks:
        return Tasks(
            run_due_work=self.run_due_work,
            render_document=self.render_document,
            render_credit_note=self.render_credit_note,
            render_receipt=self.render_receipt,
            send_email=self.send_email,
            send_password_reset=self.send_password_reset,
            send_sign_up=self.send_sign_up,
            send_notice=self.send_notice,
            export_data=self.export_data,
            bring_export=self.bring_export,
            forget_exports=self.forget_exports,
            follow_events=self.follow_events,
            archive_events=self.archive_events,
            keep_months=self.keep_months,
            forget_logs=self.forget_logs,
            forget_answers=self.forget_answers,
            build_rollups=self.build_rollups,
        )


async def until(holds: Callable[[], bool], *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


async def jobs(database) -> list[tuple[str, str, int]]:
    async with database.system() as connection:
        rows = await connection.execute(
            text(
                "SELECT task_name, status::text, attempts FROM procrastinate_jobs"
                " WHERE task_name IN ('run_due_work', 'render_document') ORDER BY id"
            )
        )
        return [tuple(row) for row in rows]


async def ask_for_document(database, organization_id: UUID, invoice_id: UUID) -> None:
    arguments = {"organization_id": str(organization_id), "invoice_id": str(invoice_id)}
    async with database.system() as connection:
        job = Job(task=RENDER_DOCUMENT, arguments=arguments, lock=f"document:{invoice_id}")
        await enqueue(connection, job)


async def note(database, organization_id: UUID, owner_id: UUID, run_at: datetime) -> None:
    async with database.tenant(organization_id) as tx:
        item = Item(kind=Kind.BILL_PERIOD, subject_id=uuid4(), owner_id=owner_id, due_at=run_at)
        await agenda.put(tx, item)


class TestScheduler:
    async def test_queues_a_customer_once_however_often_it_looks(self, database, organization_id):
        owner, now = uuid4(), datetime(2024, 5, 1, tzinfo=UTC)
        await note(database, organization_id, owner, now - timedelta(days=1))
        await note(database, organization_id, owner, now)
        await note(database, organization_id, uuid4(), now + timedelta(microseconds=1))
        for _ in range(3):
            async with database.system() as connection:
                assert await enqueue_what_is_due(connection, now=now) == 1
        assert await jobs(database) == [(RUN_DUE_WORK, "todo", 0)]

    async def test_queues_one_job_for_many_customers_of_one_organization(self, database, organization_id):
        now = datetime(2024, 5, 1, tzinfo=UTC)
        for _ in range(MANY):
            await note(database, organization_id, uuid4(), now)
        for _ in range(2):
            async with database.system() as connection:
                assert await enqueue_what_is_due(connection, now=now) == MANY
        assert await jobs(database) == [(RUN_DUE_WORK, "todo", 0)]

    async def test_does_nothing_while_another_one_acts(self, database, organization_id):
        now = datetime(2024, 5, 1, tzinfo=UTC)
        await note(database, organization_id, uuid4(), now)
        async with database.system() as first, database.system() as second:
            assert await enqueue_what_is_due(first, now=now) == 1
            assert await enqueue_what_is_due(second, now=now) == 0

    async def test_leaves_simulated_organizations_to_their_clock(self, database):
        frozen = datetime(2023, 1, 1, tzinfo=UTC)
        async with database.system() as connection:
            made = await service.create_organization(
                connection, name="Sim", email=None, now=frozen, frozen_time=frozen
            )
        async with database.tenant(made.organization_id, is_simulated=True) as tx:
            due = Item(kind=Kind.BILL_PERIOD, subject_id=uuid4(), owner_id=uuid4(), due_at=frozen)
            await agenda.put(tx, due)
        async with database.system() as connection:
            assert await enqueue_what_is_due(connection, now=datetime(2024, 1, 1, tzinfo=UTC)) == 0


async def queued(database, *, limit: int = 1_000_000) -> list[str]:
    """Whose the jobs are, in the order in which a worker takes them; they are taken."""
    whose: list[str] = []
    async with database.system() as connection:
        while len(whose) < limit:
            taken = await connection.execute(
                text("SELECT args ->> 'organization_id' FROM procrastinate_fetch_job_v2(NULL, NULL)")
            )
            name = taken.scalar_one()
            if name is None:
                return whose
            whose.append(name)
            # Done: what comes next sees it no more.
            await connection.execute(text("DELETE FROM procrastinate_jobs WHERE status = 'doing'"))
    return whose


async def leave(database, *names: str) -> None:
    async with database.system() as connection:
        await enqueue(connection, *(Job(task="x", arguments={"organization_id": name}) for name in names))


class TestTurns:
    """Organizations take turns, however many jobs each has."""

    async def test_whoever_leaves_many_keeps_nobody_waiting(self, database):
        await leave(database, *["many"] * 300)
        await leave(database, "one")
        await leave(database, "other", "other")
        assert await queued(database, limit=6) == ["many", "one", "other", "many", "other", "many"]

    async def test_who_comes_later_waits_for_no_more_than_a_turn_of_each(self, database):
        """After 40 turns the one who comes is served in the 41st, not before those who have waited for theirs."""
        await leave(database, *["many"] * 100)
        await queued(database, limit=40)
        await leave(database, "late", "late")
        assert await queued(database, limit=4) == ["many", "late", "many", "late"]

    async def test_who_keeps_coming_shares_with_who_has_many(self, database):
        await leave(database, *["many"] * 100)
        whose: list[str] = []
        for _ in range(10):
            await leave(database, "often", "often")
            whose += await queued(database, limit=2)
        assert whose.count("many") == 10

    async def test_what_failed_comes_back_behind_its_own(self, database):
        await leave(database, *["failing"] * 3)
        async with database.system() as connection:
            for _ in range(3):
                await connection.execute(text("SELECT procrastinate_fetch_job_v2(NULL, NULL)"))
            later = {"at": datetime.now(UTC) + timedelta(seconds=4)}
            await connection.execute(
                text(
                    "SELECT procrastinate_retry_job_v2(id, :at, NULL, NULL, NULL) FROM procrastinate_jobs ORDER BY id"
                ),
                later,
            )
            turns = await connection.execute(text("SELECT -priority FROM procrastinate_jobs ORDER BY id"))
            assert list(turns.scalars()) == [2, 3, 4]

    async def test_what_was_cut_off_keeps_its_turn(self, database):
        await leave(database, "x", "x")
        async with database.system() as connection:
            await connection.execute(text("SELECT procrastinate_fetch_job_v2(NULL, NULL)"))
            await connection.execute(
                text(
                    "SELECT procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL) FROM procrastinate_jobs WHERE status = 'doing'"
                )
            )
            turns = await connection.execute(text("SELECT -priority FROM procrastinate_jobs ORDER BY id"))
            assert list(turns.scalars()) == [0, 1]

    async def test_the_jobs_of_a_tenant_are_found_by_index(self, database):
        await leave(database, *["many"] * 2_000)
        async with database.system() as connection:
            await connection.execute(text("ANALYZE procrastinate_jobs"))
            own = "SELECT min(priority) FROM procrastinate_jobs WHERE status = 'todo'"
            for asked in (
                "SELECT min(priority) FROM procrastinate_jobs WHERE status = 'doing'",
                "SELECT max(priority) FROM procrastinate_jobs WHERE status = 'todo'",
                f"{own} AND coalesce(args ->> 'organization_id', '') = 'many'",
            ):
                plan = "\n".join((await connection.execute(text(f"EXPLAIN {asked}"))).scalars())
                assert "Seq Scan" not in plan, plan

    async def test_a_flood_of_due_work_hides_nobody_elses(self, database, organization_id):
        now = datetime(2024, 5, 1, tzinfo=UTC)
        async with database.system() as connection:
            made = await service.create_organization(connection, name="Other", email=None, now=now)
        for _ in range(12):
            await note(database, organization_id, uuid4(), now - timedelta(days=1))
        owner = uuid4()
        await note(database, made.organization_id, owner, now)
        async with database.system() as connection:
            found = await agenda.due_owners(connection, now=now, limit=10, of_each=5)
        assert agenda.DueOwner(made.organization_id, owner) in found


class TestWorker:
    async def test_does_what_is_due_soon_and_forgets_the_job(self, database, organization_id):
        calls, stop, owner = Calls(), asyncio.Event(), uuid4()
        async with asyncio.TaskGroup() as group:
            group.create_task(run_worker(database, tasks=calls.tasks, concurrency=2, stop=stop))
            await note(database, organization_id, owner, datetime.now(UTC))
            await until(lambda: owner in calls.done, seconds=10)
            stop.set()
        async with database.system() as connection:
            assert (
                await connection.execute(text("SELECT count(*) FROM procrastinate_workers"))
            ).scalar() == 0

    async def test_of_a_held_installation_waits_until_it_is_let_go(
        self, database, organization_id, monkeypatch
    ):
        """What is due stays due; what works beside the queue, such as the delivery of webhooks, waits too."""
        looks: list[Hold | None] = []

        async def look(connection):
            looks.append(await find_hold(connection))
            return looks[-1]

        monkeypatch.setattr("tallymark.worker.find_hold", look)
        monkeypatch.setattr(worker, "TICK_SECONDS", 0.05)
        calls, stop, owner = Calls(), asyncio.Event(), uuid4()
        delivered = asyncio.Event()

        class Courier:
            async def run(self, stop: asyncio.Event) -> None:
                delivered.set()
                await stop.wait()

        hold = Hold(reason="restored", since=datetime(2026, 1, 1, tzinfo=UTC))
        async with database.system() as connection:
            await add_hold(connection, hold)
        await note(database, organization_id, owner, datetime.now(UTC) - timedelta(days=1))
        async with asyncio.TaskGroup() as group:
            group.create_task(
                run_worker(database, tasks=calls.tasks, concurrency=2, stop=stop, beside=[Courier()])
            )
            await until(lambda: looks[:3] == [hold] * 3)
            assert (calls.seen, delivered.is_set(), await jobs(database)) == ([], False, [])
            async with database.system() as connection:
                assert await end_holds(connection) == 1
            await until(lambda: owner in calls.done and delivered.is_set())
            stop.set()

    async def test_finishes_running_jobs_and_takes_no_new_ones_when_stopped(self, database, organization_id):
        go_on, stop = asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            await go_on.wait()

        calls, first, second = Calls(wait), uuid4(), uuid4()
        await ask_for_document(database, organization_id, first)
        async with asyncio.TaskGroup() as group:
            group.create_task(run_worker(database, tasks=calls.tasks, concurrency=1, stop=stop))
            await until(lambda: calls.seen == [first])
            await ask_for_document(database, organization_id, second)
            stop.set()
            await asyncio.sleep(0.3)
            go_on.set()
        assert calls.done == [first]
        assert await jobs(database) == [(RENDER_DOCUMENT, "todo", 0)]

    async def test_tries_again_what_failed(self, database, organization_id):
        stop = asyncio.Event()

        async def fail_once() -> None:
            if len(calls.seen) == 1:
                raise ConnectionError("the store is away")

        calls, invoice = Calls(fail_once), uuid4()
        await ask_for_document(database, organization_id, invoice)
        async with asyncio.TaskGroup() as group:
            group.create_task(run_worker(database, tasks=calls.tasks, concurrency=1, stop=stop))
            await until(lambda: calls.done == [invoice])
            stop.set()
        assert calls.seen == [invoice, invoice]
        assert await jobs(database) == []
        async with database.system() as connection:
            (told,) = await connection.execute(text("DELETE FROM job_errors RETURNING error"))
        assert told.error.endswith("ConnectionError: the store is away\n"), "why it failed is kept for staff"

    async def test_looks_again_at_due_work_that_was_interrupted(self, database, organization_id):
        """Also where the same work was queued meanwhile: neither job may stay behind as under way."""
        stop, owner = asyncio.Event(), uuid4()

        async def fail_once() -> None:
            if len(calls.seen) == 1:
                async with database.system() as connection:
                    await enqueue_due_work(connection, organization_id=organization_id, owner_id=owner)
                raise ConnectionError("the database is away")

        calls = Calls(fail_once)
        async with database.system() as connection:
            await enqueue_due_work(connection, organization_id=organization_id, owner_id=owner)
        async with asyncio.TaskGroup() as group:
            group.create_task(run_worker(database, tasks=calls.tasks, concurrency=1, stop=stop))
            await until(lambda: calls.done == [owner])
            stop.set()
        assert await jobs(database) == []

    async def test_outlives_the_loss_of_its_connections(self, database, organization_id):
        calls, stop, before, after = Calls(), asyncio.Event(), uuid4(), uuid4()
        async with asyncio.TaskGroup() as group:
            group.create_task(run_worker(database, tasks=calls.tasks, concurrency=1, stop=stop))
            await ask_for_document(database, organization_id, before)
            await until(lambda: before in calls.done)
            async with database.system() as connection:
                await connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )
            await asyncio.sleep(0.5)
            await database.engine.dispose()
            await ask_for_document(database, organization_id, after)
            await until(lambda: after in calls.done, seconds=40)
            stop.set()

    def test_stops_in_time_though_the_database_never_answers(self, monkeypatch):
        """Returning is not enough: nothing may be left that keeps the event loop, and so the process, alive."""
        monkeypatch.setattr(worker, "LONGEST_STOP_SECONDS", 1.0)
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            url = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/x"
            began = time.monotonic()
            asyncio.run(self._work_for_a_moment(url))
        assert time.monotonic() - began < 12

    async def _work_for_a_moment(self, url: str) -> None:
        database, stop = Database(url), asyncio.Event()
        asyncio.get_running_loop().call_later(0.5, stop.set)
        await run_worker(database, tasks=Calls().tasks, concurrency=1, stop=stop)
        await database.close()
        assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("pool")] == []


class TestStalledJobs:
    async def _leave_behind(self, database) -> None:
        """What a worker leaves that was killed an hour ago: itself, and a job that it seems to be doing."""
        async with database.system() as connection:
            dead = (
                await connection.execute(
                    text(
                        "INSERT INTO procrastinate_workers (last_heartbeat)"
                        " VALUES (now() - interval '1 hour') RETURNING id"
                    )
                )
            ).scalar_one()
            await connection.execute(
                text("SELECT procrastinate_fetch_job_v2(NULL::varchar[], :worker)"), {"worker": dead}
            )

    async def test_go_back_to_the_queue(self, database, organization_id):
        await ask_for_document(database, organization_id, uuid4())
        await self._leave_behind(database)
        assert await jobs(database) == [(RENDER_DOCUMENT, "doing", 0)]
        queue = make_queue(database, Calls().tasks)
        async with queue.open_async():
            await retry_stalled_jobs(queue)
        assert await jobs(database) == [(RENDER_DOCUMENT, "todo", 1)]

    async def test_give_way_to_the_same_work_that_waits_already(self, database, organization_id):
        invoice = uuid4()
        await ask_for_document(database, organization_id, invoice)
        await self._leave_behind(database)
        await ask_for_document(database, organization_id, invoice)
        queue = make_queue(database, Calls().tasks)
        async with queue.open_async():
            await retry_stalled_jobs(queue)
        assert await jobs(database) == [(RENDER_DOCUMENT, "todo", 0)]


class TestBackOff:
    @pytest.mark.parametrize(("attempts", "seconds"), [(0, 2), (1, 4), (2, 8), (4, 32), (5, 60), (11, 60)])
    def test_doubles_up_to_its_longest_pause(self, attempts: int, seconds: int) -> None:
        asked = datetime.now(UTC)
        decision = BackOff(limit=12, longest_seconds=60).get_retry_decision(
            exception=ValueError("no"), job=job(attempts)
        )
        assert decision is not None
        assert decision.retry_at is not None
        assert (decision.retry_at - asked) == pytest.approx(
            timedelta(seconds=seconds), abs=timedelta(seconds=1)
        )

    def test_gives_up_after_its_last_try(self) -> None:
        back_off = BackOff(limit=3, longest_seconds=60)
        assert back_off.get_retry_decision(exception=ValueError("no"), job=job(2)) is not None
        assert back_off.get_retry_decision(exception=ValueError("no"), job=job(3)) is None


def job(attempts: int) -> QueuedJob:
    return QueuedJob(
        id=1,
        queue="default",
        lock=None,
        queueing_lock=None,
        task_name=RENDER_DOCUMENT,
        task_kwargs={},
        attempts=attempts,
    )
