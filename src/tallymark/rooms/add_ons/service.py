"""What can be done with add-ons (pricing §3)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.add_ons import repository
from tallymark.rooms.add_ons.model import AddOn
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner


async def get_add_ons(tx: Tx, ids: Collection[UUID]) -> dict[UUID, AddOn]:
    """Add-ons by id, deleted ones too: fixed charges keep pointing to them."""
    if not ids:
        return {}
    rows = await repository.get_add_ons(tx, ids)
    carried = await taxes.taxes_of(tx, Owner.ADD_ON, {row.id for row in rows})
    return {
        row.id: AddOn(
            id=row.id,
            code=row.code,
            name=row.name,
            invoice_display_name=row.invoice_display_name,
            description=row.description,
            amount_cents=row.amount_cents,
            amount_currency=row.amount_currency,
            taxes=carried.get(row.id, ()),
            created_at=row.created_at,
        )
        for row in rows
    }
