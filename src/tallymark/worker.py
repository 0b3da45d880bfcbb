"""The worker: carries out the queue's jobs, and beside them the scheduler that notices what falls due."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import structlog
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job, Status
from procrastinate.middleware import AsyncCallNext, WorkerMiddleware
from procrastinate.worker import Worker
from sqlalchemy.exc import SQLAlchemyError

from tallymark.db.engine import Database, plain_url
from tallymark.db.holding import find_hold
from tallymark.jobs import dead, tracing
from tallymark.jobs.queue import (
    BRING_EXPORT,
    BUILD_ROLLUPS,
    EXPORT_DATA,
    RENDER_CREDIT_NOTE,
    RENDER_DOCUMENT,
    RENDER_RECEIPT,
    RUN_DUE_WORK,
    SEND_EMAIL,
    SEND_NOTICE,
    SEND_PASSWORD_RESET,
    SEND_SIGN_UP,
)
from tallymark.jobs.schedule import enqueue_what_is_due

GRACE_SECONDS = 10.0
"""How long running jobs may take to finish once the worker is told to stop; then they go back to the queue."""

LONGEST_STOP_SECONDS = GRACE_SECONDS + 2.0
"""When the worker ends whatever it waits for."""

TICK_SECONDS = 1.0
"""How long due work waits at most until the scheduler sees it."""

_CONNECT_SECONDS = 4
_STALLED_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 30.0
_KEPT_HOURS = 30 * 24

log = structlog.get_logger(__name__)


class RunDueWork(Protocol):
    """Does what is due for one customer of a live organization, or for all of them."""

    async def __call__(self, *, organization_id: UUID, owner_id: UUID | None) -> None: ...


class RenderDocument(Protocol):
    """Makes an invoice's document and stores it."""

    async def __call__(self, *, organization_id: UUID, invoice_id: UUID, is_anew: bool) -> None: ...


class RenderCreditNote(Protocol):
    """Makes a credit note's document and stores it."""

    async def __call__(self, *, organization_id: UUID, note_id: UUID) -> None: ...


class RenderReceipt(Protocol):
    """Makes a receipt's document and stores it."""

    async def __call__(self, *, organization_id: UUID, receipt_id: UUID) -> None: ...


class SendEmail(Protocol):
    """Hands an e-mail over to the mail server."""

    async def __call__(self, *, organization_id: UUID, email_id: UUID, is_simulated: bool) -> None: ...


class SendPasswordReset(Protocol):
    """Sends the link with which somebody sets another password."""

    async def __call__(self, *, email: str, user_agent: str, ip_address: str | None) -> None: ...


class SendSignUp(Protocol):
    """Sends the link by which somebody signs up."""

    async def __call__(self, *, email: str) -> None: ...


class OfExport(Protocol):
    """Writes an export's file, or tells that it is there."""

    async def __call__(self, *, organization_id: UUID, export_id: UUID) -> None: ...


class SendNotice(Protocol):
    """Tells the admins of an organization that what lets somebody in was changed."""

    async def __call__(self, *, organization_id: UUID, kind: str, about: str) -> None: ...


class Chore(Protocol):
    """Does what there is to do from time to time, and finds out by itself what that is."""

    async def __call__(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """What the jobs of the queue do; each is safe to run twice."""

    run_due_work: RunDueWork
    render_document: RenderDocument
    render_credit_note: RenderCreditNote
    render_receipt: RenderReceipt
    send_email: SendEmail
    send_password_reset: SendPasswordReset
    send_sign_up: SendSignUp
    send_notice: SendNotice
    export_data: OfExport
    bring_export: OfExport
    forget_exports: Chore
    """Deletes exports that are over, with their files."""
    follow_events: Chore
    """Reads what live organizations sent since the last time."""
    archive_events: Chore
    """Takes events out of the database that are older than it keeps them."""
    keep_months: Chore
    """Makes the tables of the months to come, and counts what is in them."""
    forget_logs: Chore
    """Deletes log entries that are not shown any more, and sessions that are over."""
    forget_answers: Chore
    """Deletes answers to keys of requests that are kept no longer."""
    build_rollups: Chore
    """Builds the roll-ups that reads have asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackOff(BaseRetryStrategy):
    """Try again after 2, 4, 8 ... seconds.

    After `limit` tries the job stays in the queue as failed, for someone to look at.
    """

    limit: int
    longest_seconds: int

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to try again, None for never. A job that a shutdown cut off is taken up at the next start."""
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision(retry_in={"seconds": 0})
        if job.attempts >= self.limit:
            return None
        seconds = min(2 ** (job.attempts + 1), self.longest_seconds)
        log.warning("job failed", job=job.call_string, again_in_seconds=seconds, exc_info=exception)
        return RetryDecision(retry_in={"seconds": seconds})


class Aside(Protocol):
    """Works beside the queue and takes no place of a job: delivers webhooks, whose receivers may be slow, or writes logs."""

    async def run(self, stop: asyncio.Event) -> None: ...


async def run_worker(
    database: Database,
    *,
    tasks: Tasks,
    concurrency: int,
    stop: asyncio.Event,
    beside: Sequence[Aside] = (),
    around: Sequence[WorkerMiddleware] = (),
) -> None:
    """Work, schedule and deliver until `stop` is set; then finish the running jobs and return.

    What is `around` the jobs sees each of them begin and end. While the installation is held back, nothing of all this is done.
    When the database goes away, all wait for it and go on. Any number of workers may run beside each other.
    """
    queue = make_queue(database, tasks)

    async def work() -> None:
        noting = partial(_note_error, database)
        await _work(queue, concurrency=concurrency, stop=stop, around=[*around, noting])

    async def schedule() -> None:
        await _schedule(database, stop)

    runs: list[Callable[[], Awaitable[None]]] = [work, schedule]
    runs += [partial(one.run, stop) for one in beside]

    async def work_once_let_go() -> None:
        await _wait_while_held(database, stop)
        await asyncio.gather(*(_keep_running(run, stop) for run in runs))

    working = asyncio.create_task(work_once_let_go())
    try:
        await stop.wait()
        # Where the database is away, they may sit in a connection's time-out, which knows nothing of stopping.
        _, late = await asyncio.wait({working}, timeout=LONGEST_STOP_SECONDS)
        if late:
            log.warning("worker cut off", after_seconds=LONGEST_STOP_SECONDS)
    finally:
        working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def run_aside(aside: Aside, stop: asyncio.Event) -> None:
    """Run what works whether or not there is a worker, or one that is held back, until `stop` is set."""
    await _keep_running(partial(aside.run, stop), stop)


def make_queue(database: Database, tasks: Tasks) -> App:
    """The queue with its tasks, not yet connected."""
    connector = PsycopgConnector(
        conninfo=plain_url(database.url),
        kwargs={"connect_timeout": _CONNECT_SECONDS},
        min_size=1,
        max_size=4,
        timeout=10,
    )
    queue = App(connector=connector)

    @queue.task(name=RUN_DUE_WORK)
    async def run_due_work(*, organization_id: str, owner_id: str | None) -> None:
        # Never retried by the queue: the agenda still holds what is due, and the scheduler's next look queues it again.
        # Put back by its worker, a job would collide with the same work that waits already, and stay under way.
        try:
            await tasks.run_due_work(
                organization_id=UUID(organization_id), owner_id=UUID(owner_id) if owner_id else None
            )
        except Exception:
            log.exception("due work interrupted", organization_id=organization_id, owner_id=owner_id)

    @queue.task(name=RENDER_DOCUMENT, retry=BackOff(limit=12, longest_seconds=3600))
    async def render_document(*, organization_id: str, invoice_id: str, is_anew: bool = False) -> None:
        await tasks.render_document(
            organization_id=UUID(organization_id), invoice_id=UUID(invoice_id), is_anew=is_anew
        )

    @queue.task(name=RENDER_CREDIT_NOTE, retry=BackOff(limit=12, longest_seconds=3600))
    async def render_credit_note(*, organization_id: str, note_id: str) -> None:
        await tasks.render_credit_note(organization_id=UUID(organization_id), note_id=UUID(note_id))

    @queue.task(name=RENDER_RECEIPT, retry=BackOff(limit=12, longest_seconds=3600))
    async def render_receipt(*, organization_id: str, receipt_id: str) -> None:
        await tasks.render_receipt(organization_id=UUID(organization_id), receipt_id=UUID(receipt_id))

    _every(queue, "* * * * *", "follow_events", tasks.follow_events)
    _every(queue, "37 * * * *", "forget_logs", tasks.forget_logs)
    _every(queue, "47 * * * *", "forget_answers", tasks.forget_answers)

    @queue.task(name=BUILD_ROLLUPS)
    async def build_rollups() -> None:
        # Never retried by the queue: the scheduler's next look finds what is still wanted.
        try:
            await tasks.build_rollups()
        except Exception:
            log.exception("roll-ups interrupted")

    _add_exports(queue, tasks)
    _add_letters(queue, tasks)
    _add_months(queue, tasks)
    _add_upkeep(queue, database)
    return queue


def _every(queue: App, cron: str, name: str, act: Chore) -> None:
    """Have something done by a schedule; what was not begun by its next time is done once."""

    async def run(timestamp: int) -> None:  # noqa: ARG001 - the queue names the minute
        await act()

    queue.periodic(cron=cron)(queue.task(name=name, queueing_lock=name)(run))


def _add_letters(queue: App, tasks: Tasks) -> None:
    """The tasks that send e-mails."""

    @queue.task(name=SEND_EMAIL, retry=BackOff(limit=12, longest_seconds=3600))
    async def send_email(*, organization_id: str, email_id: str, is_simulated: bool) -> None:
        await tasks.send_email(
            organization_id=UUID(organization_id), email_id=UUID(email_id), is_simulated=is_simulated
        )

    @queue.task(name=SEND_PASSWORD_RESET, retry=BackOff(limit=5, longest_seconds=60))
    async def send_password_reset(*, email: str, user_agent: str, ip_address: str | None) -> None:
        await tasks.send_password_reset(email=email, user_agent=user_agent, ip_address=ip_address)

    @queue.task(name=SEND_SIGN_UP, retry=BackOff(limit=5, longest_seconds=60))
    async def send_sign_up(*, email: str) -> None:
        await tasks.send_sign_up(email=email)

    @queue.task(name=SEND_NOTICE, retry=BackOff(limit=12, longest_seconds=3600))
    async def send_notice(*, organization_id: str, kind: str, about: str) -> None:
        await tasks.send_notice(organization_id=UUID(organization_id), kind=kind, about=about)


def _add_exports(queue: App, tasks: Tasks) -> None:
    @queue.task(name=EXPORT_DATA, retry=BackOff(limit=12, longest_seconds=300))
    async def export_data(*, organization_id: str, export_id: str) -> None:
        await tasks.export_data(organization_id=UUID(organization_id), export_id=UUID(export_id))

    @queue.task(name=BRING_EXPORT, retry=BackOff(limit=12, longest_seconds=3600))
    async def bring_export(*, organization_id: str, export_id: str) -> None:
        await tasks.bring_export(organization_id=UUID(organization_id), export_id=UUID(export_id))

    _every(queue, "57 * * * *", "forget_exports", tasks.forget_exports)


def _add_months(queue: App, tasks: Tasks) -> None:
    """The tasks that look after the months of events."""

    _every(queue, "7 3 * * *", "archive_events", tasks.archive_events)
    _every(queue, "*/10 * * * *", "keep_months", tasks.keep_months)


def _add_upkeep(queue: App, database: Database) -> None:
    """The tasks by which the queue looks after itself."""

    async def delete_old() -> None:
        await queue.job_manager.delete_old_jobs(
            nb_hours=_KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )
        async with database.system() as connection:
            await dead.forget_errors(connection)

    _every(queue, "* * * * *", "retry_stalled_jobs", partial(retry_stalled_jobs, queue))
    _every(queue, "17 * * * *", "delete_old_jobs", delete_old)


async def retry_stalled_jobs(queue: App) -> None:
    """Put the jobs of workers that died back into the queue."""
    manager = queue.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_SECONDS):
        log.warning("job of a dead worker goes back to the queue", job=job.call_string)
        try:
            await manager.retry_job(job)
        except UniqueViolation:
            # The same work waits in the queue already; this job has nothing left to do.
            await manager.finish_job(job, Status.FAILED, delete_job=True)
        except ConnectorException as error:
            # Another worker was quicker; whatever else it may be, the next round tries again.
            log.warning("stalled job was not put back", job=job.call_string, error=str(error))


async def _work(
    queue: App, *, concurrency: int, stop: asyncio.Event, around: Sequence[WorkerMiddleware]
) -> None:
    try:
        async with queue.open_async():
            await _work_connected(queue, concurrency=concurrency, stop=stop, around=around)
    finally:
        # An opening that failed or was cut off leaves its pool behind: the next one would take that for open, and
        # its tasks would keep the event loop from closing.
        await queue.close_async()


async def _work_connected(
    queue: App, *, concurrency: int, stop: asyncio.Event, around: Sequence[WorkerMiddleware]
) -> None:
    await retry_stalled_jobs(queue)
    worker = asyncio.create_task(
        queue.run_worker_async(
            concurrency=concurrency,
            delete_jobs="successful",
            install_signal_handlers=False,
            shutdown_graceful_timeout=GRACE_SECONDS,
            stalled_worker_timeout=_STALLED_SECONDS,
            worker_middleware=[_take_trace, *around],
        )
    )
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({worker, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        worker.cancel()  # it takes nothing new, and ends when its running jobs have
    with suppress(asyncio.CancelledError):
        await worker


async def _take_trace(call_next: AsyncCallNext, context: JobContext, _: Worker) -> Any:
    """Enter the trace of whoever left a job; its task knows nothing of it."""
    trace = context.job.task_kwargs.pop(tracing.TRACEPARENT, None)
    tracing.current.set(str(trace) if trace else None)
    return await call_next()


async def _note_error(database: Database, call_next: AsyncCallNext, context: JobContext, _: Worker) -> Any:
    """Keep why a job fails, for those who look at the dead ones."""
    try:
        return await call_next()
    except Exception as error:
        try:
            assert context.job.id is not None, "a job that runs is in the queue"
            async with database.system() as connection:
                await dead.note_error(connection, context.job.id, error, now=datetime.now(UTC))
        except Exception:
            log.exception("an error is not kept", job=context.job.call_string)
        raise


async def _schedule(database: Database, stop: asyncio.Event) -> None:
    while not stop.is_set():
        async with database.system() as connection:
            await enqueue_what_is_due(connection, now=datetime.now(UTC))
        await _pause(stop, TICK_SECONDS)


async def _wait_while_held(database: Database, stop: asyncio.Event) -> None:
    """Return once nothing holds the installation back (`tallymark resume`)."""
    told = False
    while not stop.is_set():
        try:
            async with database.system() as connection:
                hold = await find_hold(connection)
        except (SQLAlchemyError, OSError) as error:
            log.warning("waiting for the database", error=str(error))
        else:
            if hold is None:
                if told:
                    log.info("let go: working")
                return
            if not told:
                log.warning("on hold: nothing is billed or sent until `tallymark resume`", reason=hold.reason)
                told = True
        await _pause(stop, TICK_SECONDS)


async def _keep_running(run: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Start it again whenever it ends before it should, ever more patiently while it keeps failing."""
    loop = asyncio.get_running_loop()
    pause = TICK_SECONDS
    while not stop.is_set():
        began = loop.time()
        try:
            await run()
        except Exception:
            log.exception("worker interrupted")
        pause = TICK_SECONDS if loop.time() - began > _LONGEST_PAUSE_SECONDS else pause * 2
        await _pause(stop, min(pause, _LONGEST_PAUSE_SECONDS))


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
