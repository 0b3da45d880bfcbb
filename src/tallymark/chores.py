"""What the jobs of the queue and the schedule do, wired to the rooms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from tallymark.db import months
from tallymark.db.engine import Database
from tallymark.domain.values import value
from tallymark.doors import Letters
from tallymark.metering.rollups import build_wanted
from tallymark.rooms.activity_logs import jobs as activity_log_jobs
from tallymark.rooms.api_logs import jobs as api_log_jobs
from tallymark.rooms.billing import jobs as billing_jobs
from tallymark.rooms.billing.event_run import judge_all_late_events
from tallymark.rooms.credit_notes import jobs as note_jobs
from tallymark.rooms.data_exports import jobs as export_jobs
from tallymark.rooms.data_exports.jobs import ExportDesk
from tallymark.rooms.emails import jobs as email_jobs
from tallymark.rooms.emails.jobs import Mailroom
from tallymark.rooms.events import follow
from tallymark.rooms.events import jobs as event_jobs
from tallymark.rooms.idempotency import jobs as idempotency_jobs
from tallymark.rooms.invoices import jobs as invoice_jobs
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.payment_providers import jobs as provider_jobs
from tallymark.rooms.payments import jobs as payment_jobs
from tallymark.rooms.security_logs import jobs as security_log_jobs
from tallymark.rooms.sso import jobs as sso_jobs
from tallymark.rooms.users import jobs as user_jobs
from tallymark.worker import Chore, Tasks


@value
class Retention:
    """How long things are kept: log entries for so long, None for ever; who sent events for so many full months, 0 for ever;
    events until they are archived.
    """

    logs: timedelta | None
    event_senders_months: int
    archive_events: Chore


def make_tasks(
    outside: billing_jobs.Outside,
    hands: Sequence[billing_jobs.Lend],
    papers: Mailroom,
    letters: Letters,
    desk: ExportDesk,
    retention: Retention,
) -> Tasks:
    """What the worker's jobs do, each with what it needs from outside."""
    database = papers.database

    async def run_due_work(*, organization_id: UUID, owner_id: UUID | None) -> None:
        await billing_jobs.run_due_work(database, organization_id, owner_id, outside=outside, hands=hands)

    async def follow_events() -> None:
        await follow.note_received(database, now=system_now())
        await judge_all_late_events(database, clock=system_now)
        await follow.report_errors(database, now=system_now())

    async def forget_logs() -> None:
        await security_log_jobs.forget_old(database, now=system_now())
        await user_jobs.forget_ended(database, now=system_now())
        await sso_jobs.forget_over(database, now=system_now())
        await provider_jobs.forget_events(database, now=system_now())
        if retention.logs is not None:
            await api_log_jobs.forget_old(database, now=system_now(), kept=retention.logs)
            await activity_log_jobs.forget_old(database, now=system_now(), kept=retention.logs)

        if months_kept := retention.event_senders_months:
            await event_jobs.forget_senders(database, now=system_now(), months=months_kept)

    return Tasks(
        run_due_work=run_due_work,
        render_document=partial(invoice_jobs.render_document, database, papers.invoices),
        render_credit_note=partial(note_jobs.render_document, database, papers.credit_notes),
        render_receipt=partial(payment_jobs.render_receipt, database, papers.receipts),
        send_email=partial(email_jobs.send, papers),
        send_password_reset=letters.send_password_reset,
        send_sign_up=letters.send_sign_up,
        send_notice=letters.send_notice,
        export_data=partial(export_jobs.export_data, desk),
        bring_export=partial(export_jobs.bring_export, desk),
        forget_exports=lambda: export_jobs.forget_old(desk, now=system_now()),
        follow_events=follow_events,
        archive_events=retention.archive_events,
        keep_months=partial(months.keep_months, database),
        forget_logs=forget_logs,
        forget_answers=lambda: idempotency_jobs.forget_old(database, now=system_now()),
        build_rollups=partial(_build, database),
    )


async def _build(database: Database) -> None:
    await build_wanted(database)
