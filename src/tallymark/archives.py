"""Archives of events, wired to where their files are kept: for the commands, and for the job that keeps to a retention."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from tallymark.db.engine import Database
from tallymark.db.errors import StartupError
from tallymark.jobs.deeds import AT_THE_SHELL, Deed, Verb, note
from tallymark.rooms.event_archives import service
from tallymark.rooms.event_archives.model import Archive, months_before
from tallymark.rooms.event_archives.service import ArchiveProblem, Shelf, Tell
from tallymark.rooms.organizations.access import system_now
from tallymark.settings import Settings


def make_shelf(settings: Settings, database: Database) -> Shelf:
    """Where and how archives are kept: where documents are, as Parquet files."""
    # Read by who archives alone: the format takes memory.
    from tallymark.integrations.files import StoredFiles, open_store
    from tallymark.integrations.parquet import ParquetFormat

    store = open_store(
        settings.files_address, settings.files_options, folder=settings.data_dir.expanduser() / "files"
    )
    return Shelf(database=database, files=StoredFiles(store), format=ParquetFormat())


def read_month(text: str) -> date:
    """The first day of a month written as 2026-01. Raises `StartupError`."""
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        raise StartupError(f"{text} is no month: write it as 2026-01") from None


async def archive(settings: Settings, url: str, before: date, tell: Tell, *, now: datetime) -> list[Archive]:
    """Archive what may leave of the months before one. Raises `StartupError`."""
    if before > now.date().replace(day=1):
        raise StartupError("events of a month that is not over can't be archived")
    database = Database(url, pool_size=2)
    try:
        done = await service.archive_before(make_shelf(settings, database), before, now=now, tell=tell)
        await _note(database, Verb.ARCHIVED, done, now=now)
        return done
    except ArchiveProblem as problem:
        raise StartupError(str(problem)) from None
    finally:
        await database.close()


async def restore(settings: Settings, url: str, month: date, tell: Tell, *, now: datetime) -> list[Archive]:
    """Put the archived events of a month back. Raises `StartupError`."""
    database = Database(url, pool_size=2)
    try:
        done = await service.restore(make_shelf(settings, database), month, now=now, tell=tell)
        await _note(database, Verb.RESTORED, done, now=now)
        return done
    except ArchiveProblem as problem:
        raise StartupError(str(problem)) from None
    finally:
        await database.close()


async def _note(database: Database, verb: Verb, archives: Sequence[Archive], *, now: datetime) -> None:
    """Tell the audit of staff which months left, or came back; that of the settings' own retention is nobody's."""
    async with database.system() as connection:
        for archive in archives:
            deed = Deed(
                verb=verb,
                subject_type="event_archive",
                subject_id=str(archive.id),
                subject=f"{archive.month:%Y-%m}",
                after={"events_count": archive.events_count},
            )
            await note(connection, AT_THE_SHELL, deed, now=now)


async def list_archives(url: str) -> list[Archive]:
    """All archives that were made."""
    database = Database(url, pool_size=1)
    try:
        return await service.list_archives(database)
    finally:
        await database.close()


async def keep_to_retention(settings: Settings, database: Database) -> None:
    """Archive what is older than the settings keep events; nothing where they keep all. Raises `ArchiveProblem`."""
    if settings.events_kept_months:
        now = system_now()
        before = months_before(now.date().replace(day=1), settings.events_kept_months)
        await service.archive_before(make_shelf(settings, database), before, now=now, tell=lambda *_: None)
