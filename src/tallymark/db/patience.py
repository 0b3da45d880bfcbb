"""How long the database may take, as whoever runs an installation says it."""

from __future__ import annotations

import re
from datetime import timedelta

from tallymark.domain.values import value

LEAST, MOST = timedelta(seconds=1), timedelta(days=1)

_WRITTEN = re.compile(r"(\d{1,10})\s*(ms|s|min|h|d|)")
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


@value
class Patience:
    """How long a tenant's transaction waits for the database; zero is as long as the database itself lets it."""

    request: timedelta = timedelta(0)
    """For a statement of a request."""
    lock: timedelta = timedelta(0)
    """For what somebody else is changing, in a request; jobs wait for their turn."""
    job: timedelta = timedelta(0)
    """For a statement of a job, or of a helper that does a part of one."""


ENDLESS = Patience()


def read_duration(text: str) -> timedelta:
    """A duration as PostgreSQL writes it. Raises `ValueError`.

    >>> [str(read_duration(text)) for text in ("30s", "1500 ms", "2min", "1h", "0", "45000")]
    ['0:00:30', '0:00:01.500000', '0:02:00', '1:00:00', '0:00:00', '0:00:45']

    A number alone is of milliseconds, which whoever means seconds is told.

    >>> read_duration("30")
    Traceback (most recent call last):
        ...
    ValueError: a time from 1s to 1d, such as 30s or 5min, or 0 for none; a number alone is of milliseconds
    """
    found = _WRITTEN.fullmatch(text.strip())
    duration = int(found[1]) * _UNITS[found[2]] if found else None
    if duration is None or (duration and not LEAST <= duration <= MOST):
        raise ValueError(
            "a time from 1s to 1d, such as 30s or 5min, or 0 for none; a number alone is of milliseconds"
        )
    return duration
