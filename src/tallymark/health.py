"""Whether a process beside this one is well, for whoever restarts it when it is not: the api by a call, the worker by its heartbeat."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tallymark.db.errors import StartupError

BEAT_SECONDS = 5.0
"""How often the worker touches its heartbeat."""

STALE_SECONDS = 60.0
"""The age from which a heartbeat is that of a worker that hangs: longer than a garbage collection or a busy machine takes."""

_ANSWER_SECONDS = 4.0
_ALL_ADDRESSES = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


class Heartbeat:
    """Touches a file for as long as the event loop turns, whether or not the database can be reached.

    A worker waits for its database by itself; to be restarted helps it only where it does not turn any more.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self) -> None:
        """Touch it for the first time. Raises `StartupError` where it can't be written."""
        try:
            self._path.touch()
        except OSError as error:
            raise StartupError(f"cannot write the heartbeat {self._path}: {error.strerror}") from None

    async def run(self, stop: asyncio.Event) -> None:
        """Touch it until `stop` is set."""
        while not stop.is_set():
            self._path.touch()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), BEAT_SECONDS)


def check_worker(path: Path, *, now: float) -> None:
    """Raise `StartupError` unless the heartbeat is young; `now` is seconds of the system's clock."""
    try:
        age = now - path.stat().st_mtime
    except OSError as error:
        raise StartupError(f"no heartbeat at {path}: {(error.strerror or '').lower()}") from None
    if age > STALE_SECONDS:
        raise StartupError(f"the last heartbeat of the worker is {age:.0f} seconds old")


def check_api(host: str, port: int) -> None:
    """Raise `StartupError` unless the api on this machine answers that it is well and reaches its database."""
    connection = HTTPConnection(_ALL_ADDRESSES.get(host, host), port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/health")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise StartupError(f"the api at {host}:{port} does not answer: {error}") from None
    finally:
        connection.close()
    if status != 200:
        raise StartupError(f"the api at {host}:{port} is not well: it answers {status}")
