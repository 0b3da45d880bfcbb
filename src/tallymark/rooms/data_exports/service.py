"""What can be done with data exports: ask for one, see how far it is, and carry it out step by step."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import NotFound
from tallymark.jobs import security
from tallymark.jobs.queue import BRING_EXPORT, EXPORT_DATA, Arguments, Job, enqueue
from tallymark.rooms.data_exports import repository
from tallymark.rooms.data_exports.filters import entity_codes
from tallymark.rooms.data_exports.model import KEPT, TRIES, Asked, DataExport, ResourceType, Status
from tallymark.rooms.organizations import service as organizations


async def create(tx: Tx, asked: Asked, *, now: datetime) -> DataExport:
    """Have a list written to a file, and note who wanted that in the security log (platform §10.3).

    Raises `NotFound("billing_entity")` where a filter names one that there is not.
    """
    await organizations.check_entity_codes(tx, entity_codes(asked.resource_type, asked.filters))
    export_id = new_id()
    row = {
        "id": export_id,
        "organization_id": tx.organization_id,
        "resource_type": asked.resource_type,
        "format": asked.format,
        "filters": dict(asked.filters),
        "status": Status.PENDING,
        "api_key_id": tx.actor.api_key_id if tx.actor else None,
        "user_email": tx.actor.user_email if tx.actor else None,
        "email": asked.email,
        "created_at": now,
        "expires_at": now + KEPT,
    }
    await repository.insert_export(tx, row)
    told = {"export_type": asked.resource_type, "filters": dict(asked.filters), "email": asked.email}
    await security.record(tx, "export.created", {"lago_id": str(export_id), **told}, now=now)
    await _enqueue(tx, EXPORT_DATA, export_id)
    return await get_export(tx, export_id)


async def get_export(tx: Tx, export_id: UUID) -> DataExport:
    """An export. Raises `NotFound("data_export")`."""
    export = await repository.find_export(tx, export_id)
    if export is None:
        raise NotFound("data_export")
    return export


async def list_exports(tx: Tx, types: Collection[ResourceType], page: Page) -> tuple[list[DataExport], int]:
    """A page of exports of some types, newest first, and how many there are."""
    return await repository.list_exports(tx, types, page)


async def start(tx: Tx, export_id: UUID, *, now: datetime) -> DataExport | None:
    """Begin, or begin anew what was cut off; None where nothing is left to do."""
    return await repository.change_under_way(
        tx, export_id, status=Status.PROCESSING, started_at=now, rows_written=0, rows_total=None
    )


async def note_progress(tx: Tx, export_id: UUID, *, written: int, total: int) -> bool:
    """Note how many rows are written, and of how many; False where nobody waits for them any more."""
    changed = await repository.change_under_way(tx, export_id, rows_written=written, rows_total=total)
    return changed is not None


async def complete(tx: Tx, export: DataExport, *, now: datetime) -> bool:
    """Note that the file is there, and have that told to whom it is for; False where nobody waits for it any more."""
    done = await repository.change_under_way(
        tx,
        export.id,
        status=Status.COMPLETED,
        file_key=export.key,
        completed_at=now,
        expires_at=now + KEPT,
    )
    if done is not None and done.email is not None:
        await _enqueue(tx, BRING_EXPORT, export.id)
    return done is not None


async def note_failure(tx: Tx, export_id: UUID, error: str, *, is_final: bool) -> bool:
    """Note that a try failed; whether that was the last one, and the export has failed with this reason."""
    failures = await repository.count_failure(tx, export_id)
    if not is_final and 0 < failures < TRIES:
        return False
    await repository.change_under_way(tx, export_id, status=Status.FAILED, error=error)
    return True


async def claim_notice(tx: Tx, export_id: UUID, *, now: datetime) -> DataExport | None:
    """Take it on to tell that a file is there; None where there is nothing to tell, or somebody has."""
    return await repository.claim_notice(tx, export_id, now=now)


async def release_notice(tx: Tx, export_id: UUID) -> None:
    """Note that it was not told."""
    await repository.release_notice(tx, export_id)


async def forget(tx: Tx, export_id: UUID) -> None:
    """Drop an export."""
    await repository.delete_export(tx, export_id)


async def _enqueue(tx: Tx, task: str, export_id: UUID) -> None:
    arguments: Arguments = {"organization_id": str(tx.organization_id), "export_id": str(export_id)}
    await enqueue(tx, Job(task=task, arguments=arguments, lock=f"{task}:{export_id}"))
