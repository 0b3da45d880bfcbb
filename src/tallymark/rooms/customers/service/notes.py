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
    known_ids = {note.id for note in known}
    keys = [note.key for note in asked]
    # A key is kept by naming its note's id; sent without it, it collides with the one that exists (§1.6).
    clashes = {note.key for note in known} & {note.key for note in asked if note.id not in known_ids}
    if len(set(keys)) < len(keys) or clashes:
        raise Invalid({"key": ["value_already_exist"]})
    await repository.replace_metadata(tx, customer_id, [note.id for note in asked if note.id in known_ids])
    for note in asked:
        values = {"key": note.key, "value": note.value, "display_in_invoice": note.display_in_invoice}
        if note.id in known_ids and note.id is not None:
            await repository.update_metadata(tx, note.id, {**values, "updated_at": now})
        else:
            row = {
                "id": new_id(),
                "organization_id": tx.organization_id,
                "customer_id": customer_id,
                **values,
            }
            await repository.insert_metadata(tx, {**row, "created_at": now, "updated_at": now})
