"""How connections are kept."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from tallymark.db.engine import Tx
from tallymark.db.tables import payment_providers


async def find_connection(tx: Tx, connection_id: UUID) -> Row[Any] | None:
    """A connection as it is kept, a deleted one too."""
    return (
        await tx.execute(select(payment_providers).where(payment_providers.c.id == connection_id))
    ).first()
