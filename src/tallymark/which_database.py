"""Which database a command works on, and where its data is.

Apart from the server, so that a short command needs not read the whole application to look into a database.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from tallymark.db.embedded import embedded_postgres_server
from tallymark.db.errors import StartupError
from tallymark.db.running import running_server_url
from tallymark.settings import Settings


@contextmanager
def any_database(settings: Settings) -> Iterator[str]:
    """The URL of the database for a short command: the given one, the one of a running `tallymark up` on the same
    data directory, or the embedded server, started for as long as the context is open.
    """
    url = None if settings.database_url else running_server_url(absolute(settings.data_dir))
    if url is not None:
        yield url
        return
    with stopped_by_sigterm(), own_or_given_database(settings) as own:
        yield own


@contextmanager
def own_or_given_database(settings: Settings) -> Iterator[str]:
    """The URL of the database that was named, else of the embedded server, started for as long as the context is open."""
    if settings.database_url is not None:
        yield checked(settings.database_url)
        return
    with embedded_postgres_server(absolute(settings.data_dir)) as url:
        yield url


def checked(url: str) -> str:
    """A database's URL as it was given. Raises `StartupError` where it is none, or another database's than PostgreSQL."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StartupError(
            "the database URL can't be read: write it as postgresql://user:password@host/database"
        ) from None
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise StartupError(f"the database URL is of {parsed.get_backend_name()}; Tallymark needs PostgreSQL")
    return url


def absolute(data_dir: Path) -> Path:
    """The data directory as other processes find it."""
    return data_dir.expanduser().absolute()


def where_data_is(settings: Settings) -> str:
    """The data directory, or the database's URL without its password."""
    if settings.database_url is None:
        return str(absolute(settings.data_dir))
    return make_url(settings.database_url).render_as_string(hide_password=True)


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end a start or a short command as Ctrl-C does, so that what was started is stopped again."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
