"""Errors of requests, jobs and scheduled tasks, told to Sentry with what they were and whose they are."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any
from uuid import uuid4

from procrastinate.job_context import JobContext
from procrastinate.middleware import AsyncCallNext
from procrastinate.worker import Worker
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from tallymark import __version__
from tallymark.api.request_ids import request_id_of
from tallymark.integrations.sentry import Sentry, about
from tallymark.monitoring.requests import route_of
from tallymark.settings import Settings


@contextmanager
def reporting(settings: Settings, process: str) -> Iterator[Sentry | None]:
    """Have every error that is logged told to Sentry, where that is set up, for as long as the context is open."""
    if settings.sentry_dsn is None:
        yield None
        return
    sentry = Sentry(
        settings.sentry_dsn,
        environment=settings.sentry_environment,
        release=f"tallymark@{__version__}",
        process=process,
    )
    root = logging.getLogger()
    root.addHandler(sentry.handler)
    try:
        yield sentry
    finally:
        root.removeHandler(sentry.handler)
        sentry.close()


class Reported:
    """Stands in front of an application, and knows what a request was when something goes wrong in it."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application
        self.state: Any = application.state  # type: ignore[attr-defined]  # what stands here has one

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            scope.setdefault("state", {})
            about.set(partial(tags_of_request, scope))
        await self._application(scope, receive, send)


def tags_of_request(scope: Scope) -> Mapping[str, str]:
    """What a request was: never what was in it."""
    state: dict[str, Any] = scope["state"]
    request_id = str(request_id_of(Request(scope)))
    tags = {"method": scope["method"], "route": route_of(scope, 500), "request_id": request_id}
    context = state.get("context")
    return tags if context is None else {**tags, "organization_id": str(context.organization_id)}


async def around_job(sentry: Sentry, call_next: AsyncCallNext, context: JobContext, worker: Worker) -> Any:
    """Know which job it is when something goes wrong in it; tell how each run of a scheduled task ends."""
    job = context.job
    tags = {"task": job.task_name, "job_id": str(job.id)}
    if organization_id := job.task_kwargs.get("organization_id"):
        tags["organization_id"] = str(organization_id)
    about.set(lambda: tags)
    cron = _cron_of(worker, job.task_name)
    if cron is None:
        return await call_next()
    check_in_id, began = uuid4().hex, perf_counter()
    tell: Callable[..., None] = partial(sentry.check_in, job.task_name, cron, check_in_id=check_in_id)
    tell("in_progress")
    status = "error"
    try:
        result = await call_next()
        status = "ok"
        return result
    finally:
        tell(status, seconds=perf_counter() - began)


def _cron_of(worker: Worker, task: str) -> str | None:
    """When a task is scheduled; None for one that is not."""
    periodic = worker.app.periodic_registry.periodic_tasks.values()
    return next((one.cron for one in periodic if one.task.name == task), None)
