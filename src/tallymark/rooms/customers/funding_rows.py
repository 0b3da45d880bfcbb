"""How it is kept to which accounts customers send money."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import customers, funding_instructions, invoices, invoices_applied_custom_sections
from tallymark.domain.values import names_of
from tallymark.rooms.customers.model import FundingInstructions

ISSUED = "finalized"

_OF_THE_LINK = funding_instructions.c.payment_provider_id == customers.c.payment_provider_id


async def of_customers(tx: Tx, ids: Collection[UUID]) -> list[FundingInstructions]:
    """What is known of customers, as they are linked now, by currency."""
    columns = [funding_instructions.c[name] for name in names_of(FundingInstructions)]
    statement = (
        select(*columns)
        .join(customers, customers.c.id == funding_instructions.c.customer_id)
        .where(among(funding_instructions.c.customer_id, ids), _OF_THE_LINK)
        .order_by(funding_instructions.c.currency)
    )
    rows = await tx.execute(statement)
    return [
        FundingInstructions(**{name: getattr(row, name) for name in names_of(FundingInstructions)})
        for row in rows
    ]


async def insert_instructions(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(funding_instructions), dict(values))


async def update_instructions(tx: Tx, instructions_id: UUID, values: Mapping[str, Any]) -> None:
    changed = update(funding_instructions).where(funding_instructions.c.id == instructions_id)
    await tx.execute(changed.values(**values))


async def forget_refusals(tx: Tx, customer_id: UUID) -> None:
    """Have all asked for again that was refused."""
    refused = funding_instructions.c.customer_id == customer_id
    await tx.execute(update(funding_instructions).where(refused).values(refused_at=None))


async def delete_instructions(tx: Tx, customer_id: UUID) -> None:
    own = funding_instructions.c.customer_id == customer_id
    await tx.execute(delete(funding_instructions).where(own))


async def tell_invoices(tx: Tx, told: FundingInstructions, *, display_name: str, details: str) -> list[UUID]:
    """Write instructions on the invoices whose sections wait for them; those of these that are issued."""
    copies = invoices_applied_custom_sections
    waiting = (
        update(copies)
        .where(
            copies.c.invoice_id == invoices.c.id,
            invoices.c.customer_id == told.customer_id,
            copies.c.funding_instructions_id == told.id,
            copies.c.details.is_(None),
        )
        .values(display_name=display_name, details=details)
        .returning(invoices.c.id, invoices.c.status)
    )
    return sorted(row.id for row in await tx.execute(waiting) if row.status == ISSUED)
