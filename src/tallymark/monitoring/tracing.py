"""Traces of requests and jobs: a span for each, in the trace of whoever called, handed on to what it leaves behind."""

from __future__ import annotations

from typing import Any

from opentelemetry.trace import SpanKind
from procrastinate.job_context import JobContext
from procrastinate.middleware import AsyncCallNext
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tallymark.integrations.telemetry import Telemetry, mark_failed, traceparent_of
from tallymark.jobs import tracing
from tallymark.monitoring.requests import route_of


class Traced:
    """Stands in front of an application and makes a span of each request."""

    def __init__(self, application: ASGIApp, telemetry: Telemetry) -> None:
        self._application, self._telemetry = application, telemetry
        self.state: Any = application.state  # type: ignore[attr-defined]  # what stands here has one

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on inside of its span."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        scope.setdefault("state", {})
        status = 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method, parent = scope["method"], Headers(scope=scope).get(tracing.TRACEPARENT)
        with self._telemetry.span(
            method, SpanKind.SERVER, {"http.request.method": method}, parent=parent
        ) as span:
            tracing.current.set(traceparent_of(span))
            try:
                await self._application(scope, receive, send_noted)
            finally:
                route = route_of(scope, status)
                span.update_name(f"{method} {route}")
                span.set_attributes({"http.route": route, "http.response.status_code": status})
                if (context := scope["state"].get("context")) is not None:
                    span.set_attribute("tallymark.organization_id", str(context.organization_id))
                if status >= 500:
                    mark_failed(span, str(status))


async def around_job(telemetry: Telemetry, call_next: AsyncCallNext, context: JobContext) -> Any:
    """Make a span of a job, in the trace of whatever left it."""
    job = context.job
    attributes = {"tallymark.task": job.task_name, "tallymark.job_id": str(job.id)}
    if organization_id := job.task_kwargs.get("organization_id"):
        attributes["tallymark.organization_id"] = str(organization_id)
    parent = tracing.current.get()
    with telemetry.span(f"job {job.task_name}", SpanKind.CONSUMER, attributes, parent=parent) as span:
        tracing.current.set(traceparent_of(span))
        return await call_next()
