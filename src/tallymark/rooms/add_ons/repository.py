"""How add-ons are kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from tallymark.db.engine import Tx
from tallymark.db.tables import add_ons


async def get_add_ons(tx: Tx, ids: Collection[UUID]) -> Sequence[Row[Any]]:
    """Rows of add-ons, deleted ones too."""
    return (await tx.execute(select(add_ons).where(add_ons.c.id.in_(ids)))).all()
