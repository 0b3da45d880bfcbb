"""Keep the notes on a customer: the list sent is the full set (subscriptions §1.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid
from tallymark.rooms.customers import repository
from tallymark.rooms.customers.model import Metadata

LARGEST_METADATA = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataInput:
    """A note as it was sent; `id` is that of one to change."""

    id: UUID | None
    key: str
    value: str
    display_in_invoice: bool


def check_count(asked: Sequence[MetadataInput] | None) -> None:
    """Refuse more notes than one call may send. Raises `Invalid`."""
    if asked is not None and len(asked) > LARGEST_METADATA:
        raise Invalid({"metadata": ["invalid_count"]})


async def replace_metadata(
    tx: Tx, customer_id: UUID, known: Sequence[Metadata], asked: Sequence[MetadataInput], *, now: datetime
) -> None:
    """Make the notes those sent: known ids are changed, new ones added, the rest deleted.

    Raises `Invalid` for a key that two notes would have.
    """
    by_id = {note.id: note for note in known}
    keys = [note.key for note in asked]
    # A key is kept by naming its note's id; sent without it, it collides with the one that exists (§1.6).
    clashes = {note.key for note in known} & {note.key for note in asked if note.id not in by_id}
    if len(set(keys)) < len(keys) or clashes:
        raise Invalid({"key": ["value_already_exist"]})
    named = {note.id: note for note in asked if note.id in by_id}
    kept = [note_id for note_id, note in named.items() if note_id and by_id[note_id].key == note.key]
    # Two notes may take each other's key: what changes its own is deleted and written anew, under its id.
    await repository.replace_metadata(tx, customer_id, kept)
    for note in [*named.values(), *(note for note in asked if note.id not in by_id)]:
        values = {"key": note.key, "value": note.value, "display_in_invoice": note.display_in_invoice}
        before = by_id.get(note.id) if note.id else None
        if before is not None and before.id in kept:
            await repository.update_metadata(tx, before.id, {**values, "updated_at": now})
        else:
            row = {
                "id": before.id if before else new_id(),
                "organization_id": tx.organization_id,
                "customer_id": customer_id,
                "created_at": before.created_at if before else now,
                "updated_at": now,
            }
            await repository.insert_metadata(tx, {**row, **values})
