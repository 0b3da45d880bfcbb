"""What becomes of exports later: their files are written, told of, and deleted. Safe to run twice."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import structlog

from tallymark.api.links import Site
from tallymark.db.engine import Database
from tallymark.domain.errors import TallymarkError
from tallymark.domain.values import value
from tallymark.rooms.data_exports import repository, service
from tallymark.rooms.data_exports.filters import read_filters
from tallymark.rooms.data_exports.model import KEPT, DataExport
from tallymark.rooms.data_exports.ports import FileStore, Messenger
from tallymark.rooms.data_exports.sheet import Sheet
from tallymark.rooms.data_exports.sources import SOURCES, Desk, columns_of
from tallymark.rooms.organizations.access import now_of

CHUNK = 300
"""How many rows are read and written at a time."""

LOCK = "data_export"

NOT_READ, NOT_KEPT = "rows_not_read", "file_not_kept"
"""Why exports fail that nobody asked for in the wrong way; the log has more."""

log = structlog.get_logger(__name__)


@value
class ExportDesk:
    """What files are written with; `site` is where they are found, without a messenger nobody is told."""

    database: Database
    files: FileStore
    site: Site
    messenger: Messenger | None


class _Stopped(Exception):  # nothing went wrong
    """Nobody waits for the file any more."""


async def export_data(desk: ExportDesk, organization_id: UUID, export_id: UUID) -> None:
    """Write an export's file, unless it is there or somebody is at it: who dies over it lets go of it."""
    async with desk.database.held(LOCK, export_id) as is_ours:
        if not is_ours:
            return
        async with desk.database.tenant(organization_id) as tx:
            now = await now_of(tx)
            export = await service.start(tx, export_id, now=now)
        if export is not None:
            await _Writing(desk, organization_id, export, now).run()


class _Writing:
    """One try of writing one file."""

    def __init__(self, desk: ExportDesk, organization_id: UUID, export: DataExport, now: datetime) -> None:
        self._desk = desk
        self._organization_id = organization_id
        self._export = export
        self._now = now
        self._file_key = f"{organization_id}/{export.key}"

    async def run(self) -> None:
        """Write the file, and note what became of it. Raises what may be different the next time."""
        reason = NOT_READ
        try:
            with TemporaryDirectory(prefix="tallymark-export-") as folder:
                path = Path(folder) / self._export.file_name
                await self._write(path)
                reason = NOT_KEPT
                await self._desk.files.put_file(self._file_key, path)
            await self._complete()
        except _Stopped:
            log.info("export is not waited for any more", export_id=str(self._export.id))
        except Exception as error:
            if not await self._fail(reason, error):
                raise

    async def _write(self, path: Path) -> None:
        """Write all rows as of one instant, some hundred at a time."""
        source = SOURCES[self._export.resource_type]
        filters = read_filters(self._export.resource_type, self._export.filters)
        async with self._desk.database.snapshot(self._organization_id) as tx:
            keys = await source.keys(tx, filters)
            columns = await columns_of(tx, source)
            reading = Desk(tx=tx, now=self._now, links=self._desk.site.links(self._organization_id))
            with Sheet(path, list(columns)) as sheet:
                await self._tell(0, len(keys))
                for start in range(0, len(keys), CHUNK):
                    chunk = keys[start : start + CHUNK]
                    sheet.write(await source.rows(reading, chunk, columns))
                    await self._tell(start + len(chunk), len(keys))

    async def _tell(self, written: int, total: int) -> None:
        async with self._desk.database.tenant(self._organization_id) as tx:
            if not await service.note_progress(tx, self._export.id, written=written, total=total):
                raise _Stopped

    async def _complete(self) -> None:
        async with self._desk.database.tenant(self._organization_id) as tx:
            is_waited_for = await service.complete(tx, self._export, now=await now_of(tx))
        if not is_waited_for:
            await self._desk.files.delete(self._file_key)

    async def _fail(self, reason: str, error: Exception) -> bool:
        """Note that it went wrong; whether that was the last try. What was asked for in a wrong way is not tried again."""
        is_final = isinstance(error, TallymarkError)
        told = getattr(error, "code", reason) if is_final else reason
        async with self._desk.database.tenant(self._organization_id) as tx:
            is_last = await service.note_failure(tx, self._export.id, told, is_final=is_final)
        if is_last:
            log.error("export failed", export_id=str(self._export.id), reason=told, exc_info=error)
        return is_last


async def bring_export(desk: ExportDesk, organization_id: UUID, export_id: UUID) -> None:
    """Tell whom a file is for that it is there, once. Raises what the mail server refuses, to be tried again."""
    if desk.messenger is None:
        return
    async with desk.database.tenant(organization_id) as tx:
        export = await service.claim_notice(tx, export_id, now=await now_of(tx))
    if export is None or export.email is None:
        return
    try:
        await desk.messenger.bring_export(
            email=export.email,
            url=desk.site.links(organization_id).to(export.key),
            file_name=export.file_name,
            rows=export.rows_written,
            lasts=KEPT,
        )
    except Exception:
        async with desk.database.tenant(organization_id) as tx:
            await service.release_notice(tx, export_id)
        raise


async def forget_old(desk: ExportDesk, *, now: datetime) -> None:
    """Delete exports that are over, files first; by each organization's clock, `now` being the live ones'."""
    async with desk.database.system() as connection:
        expired = await repository.find_expired(connection, now=now)
    for one in expired:
        try:
            # Also where none is noted: a worker may have died between keeping a file and noting it.
            await desk.files.delete(f"{one.organization_id}/{one.export.key}")
            async with desk.database.tenant(one.organization_id) as tx:
                await service.forget(tx, one.export.id)
        except Exception:
            # The others are over nevertheless, and the next hour finds this one again.
            log.exception("expired export was not deleted", export_id=str(one.export.id))
