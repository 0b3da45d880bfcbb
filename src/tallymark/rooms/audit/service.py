"""Hold an organization's rows against every law (beyond.md §4)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tallymark.db.engine import Tx
from tallymark.domain.fees.recompute import Unexplained, recompute
from tallymark.domain.money import currency
from tallymark.rooms.audit import repository
from tallymark.rooms.audit.model import Breach, Law

FEES = Law(name="fee_explanations", says="Every fee's amount follows from its explanation alone.")

LAWS = (*repository.LAWS_IN_SQL, FEES)
"""Every law that the audit holds."""


async def audit(tx: Tx) -> AsyncIterator[Breach]:
    """Every breach of every law, law by law; needs a snapshot, or what is posted meanwhile looks half-done."""
    for law in LAWS:
        async for breach in breaches_of(tx, law):
            yield breach


async def breaches_of(tx: Tx, law: Law) -> AsyncIterator[Breach]:
    """Where one law does not hold."""
    found = _unexplained_fees(tx) if law is FEES else repository.breaches_of(tx, law)
    async for breach in found:
        yield breach


async def _unexplained_fees(tx: Tx) -> AsyncIterator[Breach]:
    async for fee in repository.explained_fees(tx):
        try:
            found = str(recompute(fee.explanation, subunits=currency(fee.currency).subunits))
        except Unexplained as error:
            found = str(error)
        if found != str(fee.amount_cents):
            # The explanation is what was promised: the amount is what may be wrong.
            yield Breach(law=FEES.name, place=f"fee {fee.id}", expected=found, found=str(fee.amount_cents))
