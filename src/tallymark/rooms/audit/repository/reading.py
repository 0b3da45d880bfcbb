"""Reads what laws are about, a part at a time: an organization with a million fees is audited in little memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Row, text

from tallymark.db.engine import Tx
from tallymark.domain.money import CURRENCIES
from tallymark.rooms.audit.model import Breach, Law

_FEES = text("""
    SELECT f.id, f.currency, f.amount_cents, f.explanation
    FROM fees f LEFT JOIN invoices i ON i.id = f.invoice_id
    WHERE i.status IS NULL OR i.status IN ('finalized', 'voided')
""")
_INVOICES = text("""
    SELECT number, total_amount_cents, explanation FROM invoices WHERE status IN ('finalized', 'voided')
""")
SUBUNITS = json.dumps({code: one.subunits for code, one in CURRENCIES.items()})
"""How many minor units a unit of each currency has, for laws that ask `:subunits`."""

AT_ONCE = 2_000


async def breaches_of(tx: Tx, law: Law) -> AsyncIterator[Breach]:
    """Where a law does not hold."""
    assert law.sql is not None, f"{law.name} is not held by a statement"
    values = {"subunits": SUBUNITS} if ":subunits" in law.sql else {}
    async with tx.connection.stream(text(law.sql), values) as rows:
        async for row in rows:
            yield Breach(law=law.name, place=row.place, expected=str(row.expected), found=str(row.found))


async def explained_fees(tx: Tx) -> AsyncIterator[Row[Any]]:
    """(id, currency, amount_cents, explanation) of every fee that stands, on an issued invoice or on none."""
    options = {"yield_per": AT_ONCE}
    async with tx.connection.stream(_FEES, execution_options=options) as rows:
        async for row in rows:
            yield row


async def explained_invoices(tx: Tx) -> AsyncIterator[Row[Any]]:
    """(number, total_amount_cents, explanation) of every issued invoice."""
    options = {"yield_per": AT_ONCE}
    async with tx.connection.stream(_INVOICES, execution_options=options) as rows:
        async for row in rows:
            yield row
