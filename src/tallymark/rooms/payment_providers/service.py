"""What can be done with connections to payment providers."""

from __future__ import annotations

from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.payment_providers import repository
from tallymark.rooms.payment_providers.model import Connection
from tallymark.rooms.payment_providers.vault import Vault


async def get_connection(tx: Tx, vault: Vault, connection_id: UUID) -> Connection | None:
    """A connection with its secrets; deleted ones too, for what was paid through them may be paid back."""
    row = await repository.find_connection(tx, connection_id)
    return None if row is None else vault.open(row)
