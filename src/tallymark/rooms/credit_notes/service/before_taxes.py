"""What credit notes gave back of invoices before taxes: progressive credits are before taxes too (invoicing §5.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.money import round_cents
from tallymark.rooms.credit_notes import repository


async def credited_before_taxes(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, int]:
    """The credit parts of invoices' notes that were not voided, without their taxes, in minor units."""
    found: dict[UUID, int] = defaultdict(int)
    for row in await repository.credits_on(tx, invoice_ids) if invoice_ids else []:
        if row.total_amount_cents:
            part = Fraction(row.credit_amount_cents, row.total_amount_cents)
            found[row.invoice_id] += round_cents(part * row.sub_total_excluding_taxes_amount_cents)
    return found
