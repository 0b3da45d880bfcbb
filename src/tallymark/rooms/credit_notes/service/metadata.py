"""What is written on a note, by key (invoicing §11.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotFound
from tallymark.jobs.activity import differences
from tallymark.jobs.outbox import log_change
from tallymark.rooms.credit_notes import repository
from tallymark.rooms.credit_notes.model import CreditNote
from tallymark.rooms.credit_notes.service.read import lock_note

MOST_KEYS = 50

Values = Mapping[str, str | None]


async def replace_metadata(tx: Tx, note_id: UUID, values: Values, *, now: datetime) -> None:
    """Write these keys in place of all others. Raises `NotFound("credit_note")` and `Invalid`."""
    await _write(tx, await lock_note(tx, note_id), values, now=now)


async def merge_metadata(tx: Tx, note_id: UUID, values: Values, *, now: datetime) -> None:
    """Write these keys, the others stay; nothing is changed by none. Raises as `replace_metadata`."""
    note = await lock_note(tx, note_id)
    if values:
        await _write(tx, note, {**(note.metadata or {}), **values}, now=now)


async def clear_metadata(tx: Tx, note_id: UUID, *, now: datetime) -> None:
    """Drop all keys. Raises `NotFound("credit_note")`."""
    await _write(tx, await lock_note(tx, note_id), None, now=now)


async def drop_metadata(tx: Tx, note_id: UUID, key: str, *, now: datetime) -> None:
    """Drop one key, if it is there. Raises `NotFound`, for the note or where it has no metadata at all."""
    note = await lock_note(tx, note_id)
    if note.metadata is None:
        raise NotFound("metadata")
    await _write(tx, note, {name: value for name, value in note.metadata.items() if name != key}, now=now)


def column_of(values: Values | None) -> dict[str, Values | None]:
    """The column of a note's metadata. Raises `Invalid` for too many keys."""
    if values is not None and len(values) > MOST_KEYS:
        raise Invalid({"metadata": ["too_many_keys"]})
    return {"metadata": None if values is None else dict(values)}


async def _write(tx: Tx, note: CreditNote, values: Values | None, *, now: datetime) -> None:
    column = column_of(values)
    await repository.update_note(tx, note.id, {**column, "updated_at": now})
    changed = differences({"metadata": note.metadata}, column)
    await log_change(tx, "credit_note.updated", note.id, changed, now=now)
