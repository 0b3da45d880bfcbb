"""What is written on invoices by hand (invoicing §10.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid
from tallymark.jobs.activity import Changes, differences
from tallymark.rooms.invoices import repository
from tallymark.rooms.invoices.model import MetadataInput


async def replace_metadata(
    tx: Tx, invoice_id: UUID, asked: Sequence[MetadataInput], *, now: datetime
) -> Changes:
    """Make an invoice's notes the given ones: known ids are changed, others added, those left out deleted; what that changed.

    Raises `Invalid` for a key that is there twice.
    """
    keys = [note.key for note in asked]
    if len(set(keys)) < len(keys):
        raise Invalid({"metadata": ["value_already_exist"]})
    known = {note.id: note for note in (await repository.metadata_of(tx, [invoice_id])).get(invoice_id, ())}
    rows = [
        {
            "id": note.id if note.id in known else new_id(),
            "organization_id": tx.organization_id,
            "invoice_id": invoice_id,
            "key": note.key,
            "value": note.value,
            "created_at": known[note.id].created_at if note.id in known else now,
            "updated_at": now,
        }
        for note in asked
    ]
    await repository.replace_metadata(tx, invoice_id, rows)
    before, after = ({note.key: note.value for note in notes} for notes in (known.values(), asked))
    return differences({"metadata": before}, {"metadata": after})
