"""Logs: one line per event on stderr, JSON for machines and aligned text for people."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import Processor

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "console"]

QUIET = (
    "alembic",
    "asyncio",
    "httpx",
    "httpx2",
    "mcp",
    "opentelemetry",
    "procrastinate",
    "psycopg",
    "uvicorn",
    "urllib3",
)
"""Libraries that tell at `info` what only their own developers want to know."""


class _Untold(logging.Filter):
    """Leaves out what was logged where it was answered: the server tells of every exception that ends a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not getattr(error, "is_told", False)


_UNTOLD = _Untold()


def configure_logs(*, level: Level, style: Format) -> None:
    """Send our own events and those of the libraries through one formatter to stderr.

    Below `debug` the libraries in `QUIET` are heard from `warning` on.
    """
    is_console = style == "console" or (style == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(shared, is_console=is_console))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_UNTOLD)


def _formatter(shared: list[Processor], *, is_console: bool) -> logging.Formatter:
    ending: list[Processor] = (
        [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
        if is_console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
    )
