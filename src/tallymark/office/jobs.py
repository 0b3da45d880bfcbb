"""What waits, runs or has died: jobs of the queue, and due work that is parked."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, Text, cast, column, func, select, table
from sqlalchemy.dialects.postgresql import JSONB
from starlette.requests import Request
from starlette_admin import BaseField, IntegerField, JSONField, TextAreaField
from starlette_admin.actions import ActionSelection
from starlette_admin.exceptions import ActionFailed
from starlette_admin.flash import flash

from tallymark.db.tables import agenda, customers, job_errors, organizations
from tallymark.jobs import dead
from tallymark.jobs.agenda import Kind, unpark
from tallymark.jobs.deeds import Verb
from tallymark.office.acting import acting, deed, row_deed
from tallymark.office.tables import TableView, instant, words

_jobs = table(
    "procrastinate_jobs",
    column("id", BigInteger),
    column("task_name", Text),
    column("args", JSONB),
    column("status", Text),
    column("attempts", Integer),
    column("scheduled_at", DateTime(timezone=True)),
)
_events = table("procrastinate_events", column("job_id", BigInteger), column("at", DateTime(timezone=True)))

_statement = (
    select(
        _jobs.c.id,
        _jobs.c.task_name.label("task"),
        cast(_jobs.c.status, Text).label("status"),
        organizations.c.name.label("organization"),
        _jobs.c.attempts,
        _jobs.c.scheduled_at,
        select(func.max(_events.c.at))
        .where(_events.c.job_id == _jobs.c.id)
        .correlate(_jobs)
        .scalar_subquery()
        .label("changed_at"),
        # The last line of a traceback says what went wrong.
        func.regexp_replace(func.rtrim(job_errors.c.error, "\n"), "^.*\n", "").label("reason"),
        job_errors.c.error,
        _jobs.c.args,
    )
    .join_from(_jobs, job_errors, job_errors.c.job_id == _jobs.c.id, isouter=True)
    .join(
        organizations,
        cast(organizations.c.id, Text) == _jobs.c.args.op("->>")("organization_id"),
        isouter=True,
    )
)


def _fields(*more: BaseField) -> tuple[BaseField, ...]:
    return (
        words("id", "Job"),
        words("task"),
        words("organization"),
        IntegerField("attempts", filters=[]),
        *more,
        JSONField("args", label="Arguments", filters=[], exclude_from_list=True, viewer_collapsed=False),
    )


class JobsView(TableView):
    """What the queue has yet to do."""

    key = "jobs"
    display_name = "Job"
    menu_label = "Jobs"
    icon = "fa-solid fa-list-check"
    searched = ("id", "task", "organization")
    statement = _statement.where(cast(_jobs.c.status, Text).in_(["todo", "doing"]))
    fields = _fields(
        words("status"),
        instant("scheduled_at", "Not before"),
        instant("changed_at", "Since"),
        words("reason", "Failed last"),
        TextAreaField("error", label="Traceback", filters=[], exclude_from_list=True),
    )


class DeadJobsView(TableView):
    """What failed as often as it is tried, and waits for somebody."""

    key = "dead-jobs"
    display_name = "Dead job"
    menu_label = "Dead jobs"
    icon = "fa-solid fa-skull"
    searched = ("id", "task", "organization", "reason")
    statement = _statement.where(cast(_jobs.c.status, Text) == "failed")
    row_actions = ("retry", "discard")
    actions = ("retry_all", "discard_all")
    fields = _fields(
        instant("changed_at", "Died"),
        words("reason", "Error"),
        TextAreaField("error", label="Traceback", filters=[], exclude_from_list=True),
    )

    @row_deed(
        name="retry",
        text="Try again",
        confirmation="A worker does it at once. Jobs are safe to run twice.",
        header="Try this job again",
        submit_btn_text="Try again",
        icon_class="fa-solid fa-rotate-right",
    )
    async def retry(self, request: Request, pk: str) -> None:
        """Have one done."""
        await self._do(request, [int(pk)], Verb.RETRIED)

    @row_deed(
        name="discard",
        text="Discard",
        confirmation="It is gone for good. No money hangs on a job: what is due is in the agenda.",
        header="Discard this job",
        submit_btn_text="Discard",
        submit_btn_class="btn btn-danger",
        icon_class="fa-solid fa-trash",
    )
    async def discard(self, request: Request, pk: str) -> None:
        """Forget one."""
        await self._do(request, [int(pk)], Verb.DISCARDED)

    @deed(
        name="retry_all",
        text="Try again",
        confirmation="Workers do them at once. Jobs are safe to run twice.",
        header="Try these jobs again",
        submit_btn_text="Try again",
        icon_class="fa-solid fa-rotate-right",
    )
    async def retry_all(self, request: Request, selection: ActionSelection) -> None:
        """Have many done."""
        await self._do(request, [job.id for job in await selection.rows()], Verb.RETRIED)

    @deed(
        name="discard_all",
        text="Discard",
        confirmation="They are gone for good. No money hangs on a job: what is due is in the agenda.",
        header="Discard these jobs",
        submit_btn_text="Discard",
        submit_btn_class="btn btn-danger",
        icon_class="fa-solid fa-trash",
    )
    async def discard_all(self, request: Request, selection: ActionSelection) -> None:
        """Forget many."""
        await self._do(request, [job.id for job in await selection.rows()], Verb.DISCARDED)

    async def _do(self, request: Request, job_ids: list[int], verb: Verb) -> None:
        async with acting(self.database, request) as act:
            if verb is Verb.RETRIED:
                done = await dead.retry(act.connection, job_ids, now=act.now)
            else:
                done = await dead.discard(act.connection, job_ids)
            for job in done:
                before = {"status": "failed", "attempts": job.attempts, "arguments": job.arguments}
                after = {"status": "todo"} if verb is Verb.RETRIED else None
                await act.note(
                    verb,
                    ("job", job.id, job.task),
                    organization_id=job.organization_id,
                    before=before,
                    after=after,
                )
        if not done:
            raise ActionFailed("Nothing was done: it is dead no more, or the same waits already.")
        left = len(job_ids) - len(done)
        told = f"{len(done)} {verb.value}." + (f" {left} left: the same waits already." if left else "")
        flash(request, told, "success")


def _kind(_: Request, row: Any) -> str:
    return Kind(row.kind).name.lower().replace("_", " ")


class ParkedView(TableView):
    """Due work that failed for the last time; what follows for the same customer is kept back."""

    key = "parked"
    display_name = "Parked work"
    menu_label = "Parked work"
    icon = "fa-solid fa-circle-pause"
    newest_first = "parked_at"
    searched = ("id", "organization", "customer", "last_error")
    row_actions = ("unpark",)
    actions = ("unpark_all",)
    statement = (
        select(
            func.concat(agenda.c.kind, ":", agenda.c.subject_id).cast(Text).label("id"),
            agenda.c.kind,
            agenda.c.subject_id,
            agenda.c.owner_id,
            agenda.c.organization_id,
            organizations.c.name.label("organization"),
            func.coalesce(customers.c.name, customers.c.external_id).label("customer"),
            agenda.c.due_at,
            agenda.c.parked_at,
            agenda.c.attempts,
            agenda.c.last_error,
        )
        .join_from(agenda, organizations, organizations.c.id == agenda.c.organization_id)
        .join(customers, customers.c.id == agenda.c.owner_id, isouter=True)
        .where(agenda.c.parked_at.is_not(None), ~agenda.c.is_simulated)
    )
    fields = (
        words("work", getter=_kind, exclude_from_list=False),
        words("organization"),
        words("customer"),
        instant("due_at", "Due"),
        instant("parked_at", "Parked"),
        IntegerField("attempts", filters=[]),
        words("last_error", "Error"),
        words("owner_id", "Owner", exclude_from_list=True),
        words("subject_id", "Subject", exclude_from_list=True),
        words("id", "Id", exclude_from_list=True),
    )

    @row_deed(
        name="unpark",
        text="Try again",
        confirmation="All that is parked of this customer is tried within a second, as of the day on which it was due.",
        header="Try this customer's work again",
        submit_btn_text="Try again",
        icon_class="fa-solid fa-rotate-right",
    )
    async def unpark(self, request: Request, pk: str) -> None:
        """Have one customer's done."""
        await self._do(request, [pk])

    @deed(
        name="unpark_all",
        text="Try again",
        confirmation="All that is parked of these customers is tried within a second, as of the days on which it was due.",
        header="Try these customers' work again",
        submit_btn_text="Try again",
        icon_class="fa-solid fa-rotate-right",
    )
    async def unpark_all(self, request: Request, selection: ActionSelection) -> None:
        """Have many customers' done."""
        await self._do(request, await selection.pks())

    async def _do(self, request: Request, pks: list[str]) -> None:
        rows = await self.find_by_pks(request, pks)
        async with acting(self.database, request) as act:
            done = await unpark(act.connection, {row.owner_id for row in rows}, now=act.now)
            for item in done:
                before = {"attempts": item.attempts, "error": item.last_error}
                await act.note(
                    Verb.UNPARKED,
                    ("work", f"{int(item.kind)}:{item.subject_id}", item.kind.name.lower()),
                    organization_id=item.organization_id,
                    before=before,
                    after={"attempts": 0},
                )
        if not done:
            raise ActionFailed("Nothing was done: it is parked no more.")
        flash(request, f"{len(done)} pieces of work are tried again.", "success")
