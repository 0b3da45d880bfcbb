"""`tallymark doctor`: ask everything that Tallymark leans on once, and say what is wrong and what mends it.

Nothing is changed, sent or migrated; a file is written into the store of documents and deleted again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import SQLAlchemyError

from tallymark.db.errors import StartupError
from tallymark.db.schema import RIGHT_USER, told_of_refusal
from tallymark.doctor.database import examine_database, list_origins
from tallymark.doctor.model import Finding, Verdict, failing
from tallymark.doctor.reaching import (
    examine_address,
    examine_files,
    examine_mail,
    examine_receivers,
    examine_watchers,
)
from tallymark.doctor.settings import examine_settings, examine_space
from tallymark.settings import Settings
from tallymark.which_database import any_database

__all__ = ["Finding", "Verdict", "examine"]


def examine(
    settings: Settings,
    variables: Iterable[str],
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Finding]:
    """Look at one thing after the other; `variables` are the names of the environment's.

    An embedded database that does not run is started for as long as it is looked at.
    """
    yield from examine_settings(settings, variables)
    yield from examine_space(settings)
    yield from _examine_stored(settings, clock)
    yield asyncio.run(examine_address(settings, clock))
    yield asyncio.run(examine_files(settings))
    yield asyncio.run(examine_mail(settings))
    yield from asyncio.run(examine_watchers(settings))


def _examine_stored(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Finding]:
    remedy = "see DATABASE_URL, that the server runs, and that this machine and user are let in"
    try:
        with any_database(settings) as url:
            found = asyncio.run(examine_database(settings, url, clock))
            yield from found
            if not any(one.about == "schema" and one.verdict is Verdict.FAILING for one in found):
                yield from asyncio.run(examine_receivers(settings, asyncio.run(list_origins(url))))
    except StartupError as error:
        yield failing("database", str(error), remedy)
    except (SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        if isinstance(cause, InsufficientPrivilege):
            yield failing("database", told_of_refusal(cause), RIGHT_USER)
            return
        yield failing("database", f"cannot reach the database: {str(cause).strip().splitlines()[0]}", remedy)
