"""Errors told to Sentry: what the log tells as one, and what a traceback can tell without naming anybody.

An event is made of an allow-list. Local variables, requests, headers, bodies, users, breadcrumbs and parameters of statements are
never in it, and neither is an error's text, which may have any of them: that stands in the log, beside the same request id.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast

import sentry_sdk
from sentry_sdk.utils import event_from_exception

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

WITHHELD = "(withheld: see the log)"

TAGS = frozenset(
    {
        "constraint",
        "kind",
        "method",
        "organization_id",
        "process",
        "request_id",
        "route",
        "sqlstate",
        "table",
        "task",
        "job_id",
    }
)
"""What may be said about an error beside its traceback."""

TOLD_TYPES = (AssertionError, NotImplementedError, RecursionError)
"""Errors of ours whose texts are written by us and hold no value of anybody's."""

_FRAME = ("filename", "function", "module", "lineno", "in_app", "context_line", "pre_context", "post_context")
_CHECK_IN = ("type", "check_in_id", "monitor_slug", "status", "duration", "monitor_config")
_EVERYWHERE = (
    "event_id",
    "timestamp",
    "level",
    "platform",
    "release",
    "environment",
    "sdk",
    "logger",
    "type",
)

_MARK = "_is_told_to_sentry"

about: ContextVar[Callable[[], Mapping[str, str]] | None] = ContextVar("about", default=None)
"""What the request or the job at hand is; it is only asked when something goes wrong."""


class Sentry:
    """A project at Sentry, and what is told to it."""

    def __init__(self, dsn: str, *, environment: str, release: str, process: str) -> None:
        self._process = process
        self._client = sentry_sdk.Client(
            dsn=dsn,
            environment=environment,
            release=release,
            server_name="",
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            include_local_variables=False,
            max_breadcrumbs=0,
            max_request_body_size="never",
            in_app_include=["tallymark"],
            send_client_reports=False,
            before_send=_keep_what_is_allowed,
        )
        self.handler = _Handler(self)

    def tell(self, error: BaseException, *, level: str, tags: Mapping[str, str], logger: str = "") -> None:
        """Tell of an error, once, however often it is told here."""
        if getattr(error, _MARK, False):
            return
        setattr(error, _MARK, True)
        event, hint = event_from_exception(
            error, client_options=self._client.options, mechanism={"type": "logging", "handled": True}
        )
        event["level"] = cast(Any, level)
        event["logger"] = logger
        event["tags"] = {**self._tags(), **_database_tags(error), **tags}
        self._client.capture_event(event, hint)

    def tell_message(self, text: str, *, tags: Mapping[str, str], logger: str) -> None:
        """Tell of something that went wrong without an exception; the text must be one of ours."""
        event = {
            "level": "error",
            "logger": logger,
            "logentry": {"message": text},
            "tags": {**self._tags(), **tags},
        }
        self._client.capture_event(cast("Event", event))

    def check_in(
        self, task: str, cron: str, status: str, *, check_in_id: str, seconds: float | None = None
    ) -> None:
        """Tell that a scheduled task begins (`in_progress`), or how it ended (`ok`, `error`)."""
        event = {
            "type": "check_in",
            "check_in_id": check_in_id,
            "monitor_slug": slug_of(task),
            "status": status,
            "duration": seconds,
            "monitor_config": {
                "schedule": {"type": "crontab", "value": cron},
                "timezone": "UTC",
                "checkin_margin": 5,
                "max_runtime": 60,
            },
        }
        self._client.capture_event(cast("Event", event))

    def close(self) -> None:
        """Send what is still to be sent."""
        self._client.close(timeout=2.0)

    def _tags(self) -> dict[str, str]:
        asked = about.get()
        return {"process": self._process, **(asked() if asked is not None else {})}


def slug_of(task: str) -> str:
    """A scheduled task's name at Sentry.

    >>> slug_of("follow_events")
    'tallymark-follow-events'
    """
    return f"tallymark-{task.replace('_', '-')}"


class _Handler(logging.Handler):
    """Tells what is logged: every error, and warnings that have a traceback, such as a job that will be tried again."""

    def __init__(self, sentry: Sentry) -> None:
        super().__init__(level=logging.WARNING)
        self._sentry = sentry

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("sentry_sdk", "urllib3", "opentelemetry")):
            return  # nobody is told by what can't tell
        try:
            self._tell(record)
        except Exception:  # noqa: BLE001 - the log goes on, whatever becomes of this
            self.handleError(record)

    def _tell(self, record: logging.LogRecord) -> None:
        ours: Mapping[str, Any] = record.msg if isinstance(record.msg, dict) else {}
        error = _error_of(ours.get("exc_info") or record.exc_info)
        tags = {name: str(value) for name, value in ours.items() if name in TAGS and value is not None}
        if error is not None:
            self._sentry.tell(error, level=record.levelname.lower(), tags=tags, logger=record.name)
        elif record.levelno >= logging.ERROR:
            # The texts of others' messages are made of values; ours are constants.
            text = str(ours["event"]) if "event" in ours else f"a message of {record.name}"
            self._sentry.tell_message(text, tags=tags, logger=record.name)


def _error_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return cast("BaseException | None", exc_info[1])
    return sys.exc_info()[1] if exc_info else None


def _database_tags(error: BaseException) -> dict[str, str]:
    """What PostgreSQL says about an error that holds no value: its code, and which rule was broken."""
    original = getattr(error, "orig", None) or error
    found = getattr(original, "diag", None)
    named = {
        "sqlstate": getattr(original, "sqlstate", None),
        "constraint": getattr(found, "constraint_name", None),
        "table": getattr(found, "table_name", None),
    }
    return {name: str(value) for name, value in named.items() if value}


def _keep_what_is_allowed(event: Event, hint: Hint) -> Event | None:
    """The event with nothing but what is known to be harmless."""
    given = cast("dict[str, Any]", event)
    if given.get("type") == "check_in":
        names = (*_CHECK_IN, *_EVERYWHERE)
        return cast("Event", {name: given[name] for name in names if given.get(name) is not None})
    kept: dict[str, Any] = {name: given[name] for name in _EVERYWHERE if given.get(name) is not None}
    kept["tags"] = {name: value for name, value in (given.get("tags") or {}).items() if name in TAGS}
    if "logentry" in given:
        kept["logentry"] = {"message": given["logentry"].get("message")}
    if "exception" in given:
        chain = _chain_of(hint)
        kept["exception"] = {
            "values": [
                _exception(value, chain.get((value.get("module"), value.get("type")), ""))
                for value in given["exception"].get("values", [])
            ]
        }
    return cast("Event", kept)


def _chain_of(hint: Hint) -> dict[tuple[str | None, str | None], str]:
    """The texts that may be told of the errors behind an event, by module and type."""
    error: BaseException | None = _error_of(hint.get("exc_info"))
    told: dict[tuple[str | None, str | None], str] = {}
    while error is not None and len(told) < 20:
        if type(error) in TOLD_TYPES and _is_ours(error):
            told[None, type(error).__name__] = str(error)[:500]
        error = error.__cause__ or error.__context__
    return told


def _is_ours(error: BaseException) -> bool:
    """Whether an error was raised by our own code."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return frame is not None and str(frame.tb_frame.f_globals.get("__name__", "")).startswith("tallymark.")


def _exception(value: Mapping[str, Any], told: str) -> dict[str, Any]:
    kept = {name: value[name] for name in ("type", "module") if value.get(name) is not None}
    kept["value"] = told or WITHHELD
    mechanism = value.get("mechanism") or {}
    names = ("type", "handled", "exception_id", "parent_id", "source", "is_exception_group")
    kept["mechanism"] = {name: mechanism[name] for name in names if name in mechanism}
    frames = (value.get("stacktrace") or {}).get("frames", [])
    kept["stacktrace"] = {"frames": [_frame(frame) for frame in frames]}
    return kept


def _frame(frame: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: frame[name] for name in _FRAME if frame.get(name) is not None}
    # A path that is no module's tells of the machine.
    kept["filename"] = str(kept.get("filename", "")).rsplit("/site-packages/", 1)[-1]
    if kept["filename"].startswith("/"):
        kept["filename"] = kept["filename"].rsplit("/", 1)[-1]
    return kept
