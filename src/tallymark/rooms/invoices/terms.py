"""By what usage is billed, kept with its invoice: whoever rates it again needs nothing else (docs/decisions/0029)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid5

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.rooms.invoices import repository


async def keep_terms(tx: Tx, texts: Collection[bytes], *, now: datetime) -> dict[bytes, UUID]:
    """The ids of terms that usage is billed by, each written once: of what others write at the same time nobody waits."""
    digests = {text: uuid5(tx.organization_id, text.decode()) for text in texts}
    known = await repository.find_terms(tx, digests.values()) if digests else {}
    fresh = {text: new_id() for text, digest in digests.items() if digest not in known}
    await repository.insert_terms(
        tx,
        [
            {"id": terms_id, "digest": digests[text], "text": text.decode(), "created_at": now}
            for text, terms_id in fresh.items()
        ],
    )
    return {text: known.get(digest) or fresh[text] for text, digest in digests.items()}
