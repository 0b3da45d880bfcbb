"""Events of months that nobody bills from any more leave for files, and come back (docs/decisions/0031)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import structlog
from psycopg.errors import LockNotAvailable, SerializationFailure
from sqlalchemy.exc import OperationalError

from tallymark.db.engine import Database
from tallymark.db.ids import new_id
from tallymark.domain.values import value
from tallymark.rooms.event_archives import repository
from tallymark.rooms.event_archives.model import (
    Archive,
    ArchivedEvent,
    ArchiveFile,
    ArchiveStatus,
    first_instant,
    next_month,
)
from tallymark.rooms.event_archives.ports import ArchiveFormat, ArchiveStore
from tallymark.rooms.events import service as events

LOCK = "event_archives"
_ALL = UUID(int=0)
_TRIES = 8

Tell = Callable[[Archive, int], None]
"""Hears how many events of an archive have been written, or put back, so far."""

log = structlog.get_logger(__name__)


class ArchiveProblem(Exception):
    """Something that whoever runs the command can do something about, said in one line."""


class _NothingLeaves(Exception):  # nothing went wrong
    """All that there is of a month is still needed."""


@value
class Shelf:
    """What archives are made with."""

    database: Database
    files: ArchiveStore
    format: ArchiveFormat


async def archive_before(shelf: Shelf, before: date, *, now: datetime, tell: Tell) -> list[Archive]:
    """Archive what may leave of the months before one, the oldest first, after whatever was begun earlier; the archives.

    `now` is the operator's: it only says when an archive was made. Raises `ArchiveProblem`.
    """
    done = []
    async with _alone(shelf.database):
        async with shelf.database.system() as connection:
            begun = [
                archive
                for archive in await repository.list_archives(connection)
                if archive.status is ArchiveStatus.LEAVING
            ]
        done += [await _keep(shelf, archive, now=now, tell=tell) for archive in begun]
        for month, table in await _months(shelf.database, before):
            archive = await _put_out_of_the_way(shelf.database, month, table, now=now)
            if archive is not None:
                done.append(await _keep(shelf, archive, now=now, tell=tell))
    return done


async def restore(shelf: Shelf, month: date, *, now: datetime, tell: Tell) -> list[Archive]:
    """Put the archived events of a month back where they were; the archives that they were in. Raises `ArchiveProblem`."""
    async with _alone(shelf.database):
        async with shelf.database.system() as connection:
            archives = [
                archive
                for archive in await repository.list_archives(connection)
                if archive.month == month and archive.status is ArchiveStatus.ARCHIVED
            ]
        if not archives:
            raise ArchiveProblem(f"nothing of {month:%Y-%m} is archived")
        for archive in archives:
            await _put_back(shelf, archive, now=now, tell=tell)
    return archives


async def list_archives(database: Database) -> list[Archive]:
    """All archives there have been, by month."""
    async with database.system() as connection:
        return await repository.list_archives(connection)


@asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[None]:
    async with database.held(LOCK, _ALL) as is_ours:
        if not is_ours:
            raise ArchiveProblem("events are being archived or restored already")
        yield


async def _months(database: Database, before: date) -> list[tuple[date, str | None]]:
    """The months before one that have any events, each with the table that is its own, or none where they lie in the rest."""
    async with database.system() as connection:
        own = await repository.months_with_tables(connection, before=before)
        rest = await repository.months_of_rest(connection, before=before)
    found: list[tuple[date, str | None]] = [*own.items(), *((month, None) for month in rest)]
    return sorted(found, key=lambda entry: entry[0])


async def _put_out_of_the_way(
    database: Database, month: date, table: str | None, *, now: datetime
) -> Archive | None:
    """One transaction after which the events that leave are in a table of their own; None where none may leave.

    Tried again where others use the month, or correct its events, at that moment.
    """
    for attempt in range(_TRIES):
        try:
            return await _try_to_put_out_of_the_way(database, month, table, now=now)
        except _NothingLeaves:
            return None
        except OperationalError as error:
            if not isinstance(error.orig, (LockNotAvailable, SerializationFailure)):
                raise
            log.info("month of events in use", month=f"{month:%Y-%m}", attempt=attempt + 1)
            await asyncio.sleep(2**attempt / 5)
    raise ArchiveProblem(f"events of {month:%Y-%m} are in use all the time: try again later")


async def _try_to_put_out_of_the_way(
    database: Database, month: date, table: str | None, *, now: datetime
) -> Archive:
    archive = Archive(
        id=new_id(),
        month=month,
        status=ArchiveStatus.LEAVING,
        events_count=0,
        files=(),
        created_at=now,
        archived_at=None,
        restored_at=None,
    )
    # A month that is a table has its writers kept out. From the rest, where all may write, what was seen in the beginning is taken.
    async with database.system(is_repeatable=table is None) as connection:
        if table is not None:
            await repository.keep_writers_out(connection, table)
        await repository.insert_archive(connection, archive)
        count = await events.note_leaving(
            connection,
            archive.id,
            table=table or "events_rest",
            starts=first_instant(month),
            ends=first_instant(next_month(month)),
        )
        if not count:
            raise _NothingLeaves
        if table is None:
            await repository.move_out_of_rest(connection, archive)
        else:
            await repository.detach(connection, archive, table)
        await repository.set_events_count(connection, archive.id, count)
    return replace(archive, events_count=count)


async def _keep(shelf: Shelf, archive: Archive, *, now: datetime, tell: Tell) -> Archive:
    """Write what leaves to files, a file for each organization, and let go of it. Files of an earlier try are written over."""
    async with shelf.database.system() as connection:
        organizations = await repository.organizations_of(connection, archive.id)
    files: list[ArchiveFile] = []
    for organization_id, expected in organizations.items():
        before = sum(file.events for file in files)
        files.append(
            await _write(shelf, archive, organization_id, expected, partial(_onward, tell, archive, before))
        )
    async with shelf.database.system() as connection:
        await repository.complete(connection, archive, files, now=now)
    log.info("events archived", month=f"{archive.month:%Y-%m}", events=archive.events_count, files=len(files))
    return replace(archive, status=ArchiveStatus.ARCHIVED, files=files, archived_at=now)


def _onward(tell: Tell, archive: Archive, before: int, count: int) -> None:
    tell(archive, before + count)


async def _write(
    shelf: Shelf, archive: Archive, organization_id: UUID, expected: int, tell: Callable[[int], None]
) -> ArchiveFile:
    """Keep the file of one organization. Raises `ArchiveProblem` where it would not hold all of its events."""
    with TemporaryDirectory(prefix="tallymark-archive-") as folder:
        path = Path(folder) / f"events{shelf.format.suffix}"
        reading = _Counted(repository.read_leaving(shelf.database, archive, organization_id), tell)
        await asyncio.to_thread(shelf.format.write, path, reading)
        if reading.count != expected:
            raise ArchiveProblem(
                f"{reading.count} events of {organization_id} leave in {archive.month:%Y-%m} instead of {expected}: nothing was dropped"
            )
        key = f"event_archives/{organization_id}/{archive.month:%Y-%m}-{archive.id.hex}{shelf.format.suffix}"
        await shelf.files.put_file(key, path)
        return ArchiveFile(
            organization_id=organization_id,
            key=key,
            events=expected,
            bytes=path.stat().st_size,
            sha256=await asyncio.to_thread(_digest, path),
        )


async def _put_back(shelf: Shelf, archive: Archive, *, now: datetime, tell: Tell) -> None:
    """All of an archive's events, or none."""
    done = 0
    with TemporaryDirectory(prefix="tallymark-archive-") as folder:
        paths = [await _fetch(shelf, file, Path(folder)) for file in archive.files]
        async with shelf.database.system() as connection:
            await repository.hold_rollups(connection)
            for path in paths:
                for chunk in shelf.format.read(path):
                    done += await repository.put_back(connection, chunk)
                    tell(archive, done)
            if done != archive.events_count:
                raise ArchiveProblem(
                    f"{done} of {archive.events_count} events of {archive.month:%Y-%m} could be put back: none were"
                )
            await repository.mark_restored(connection, archive.id, now=now)
    log.info("events restored", month=f"{archive.month:%Y-%m}", events=done)


async def _fetch(shelf: Shelf, file: ArchiveFile, folder: Path) -> Path:
    path = folder / f"{file.organization_id}{shelf.format.suffix}"
    if not await shelf.files.fetch_file(file.key, path):
        raise ArchiveProblem(f"the file {file.key} is missing")
    if await asyncio.to_thread(_digest, path) != file.sha256:
        raise ArchiveProblem(f"the file {file.key} is not what was written")
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Counted:
    """Counts events as they are read."""

    def __init__(self, chunks: Iterator[Sequence[ArchivedEvent]], tell: Callable[[int], None]) -> None:
        self.count = 0
        self._chunks = chunks
        self._tell = tell

    def __iter__(self) -> Iterator[Sequence[ArchivedEvent]]:
        for chunk in self._chunks:
            yield chunk
            self.count += len(chunk)
            self._tell(self.count)
