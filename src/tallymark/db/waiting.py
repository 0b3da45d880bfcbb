"""Waiting for a database server that is started beside what needs it."""

from __future__ import annotations

import time

import psycopg
from sqlalchemy.exc import ArgumentError

from tallymark.db.engine import plain_url
from tallymark.db.errors import StartupError

_PAUSE_SECONDS = 0.5
_CONNECT_SECONDS = 5


def wait_for_server(url: str, *, seconds: float) -> None:
    """Return when the server answers. Raises `StartupError` when it has not for so long; 0 asks for nothing."""
    deadline = time.monotonic() + seconds
    while seconds:
        try:
            psycopg.connect(plain_url(url), connect_timeout=_CONNECT_SECONDS).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                why = str(error).strip().splitlines()[0]
                raise StartupError(
                    f"the database server did not answer for {seconds:g} seconds: {why}"
                ) from None
            time.sleep(_PAUSE_SECONDS)
        except ArgumentError:
            return  # what reads the URL next tells what is wrong with it
        else:
            return
