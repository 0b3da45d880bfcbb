"""Hold an organization's rows against every law (beyond.md §4)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tallymark.db.engine import Tx
from tallymark.domain.fees.recompute import Unexplained, recompute
from tallymark.domain.invoicing.explain import recompute_total
from tallymark.domain.money import currency
from tallymark.rooms.audit import repository
from tallymark.rooms.audit.model import Breach, Law

FEES = Law(
    name="fee_explanations",
    says="Every fee's amount follows from its explanation alone.",
    holds=("fees amount_cents",),
)
INVOICES = Law(
    name="invoice_explanations", says="Every issued invoice's total follows from its explanation alone."
)

LAWS = (*repository.LAWS_IN_SQL, FEES, INVOICES)
"""Every law that the audit holds."""


async def audit(tx: Tx) -> AsyncIterator[Breach]:
    """Every breach of every law, law by law; needs a snapshot, or what is posted meanwhile looks half-done."""
    for law in LAWS:
        async for breach in breaches_of(tx, law):
            yield breach


async def breaches_of(tx: Tx, law: Law) -> AsyncIterator[Breach]:
    """Where one law does not hold."""
    walks = {FEES.name: _unexplained_fees, INVOICES.name: _unexplained_invoices}
    walk = walks.get(law.name)
    async for breach in walk(tx) if walk is not None else repository.breaches_of(tx, law):
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


async def _unexplained_invoices(tx: Tx) -> AsyncIterator[Breach]:
    async for invoice in repository.explained_invoices(tx):
        try:
            found = str(recompute_total(invoice.explanation or ()))
        except Unexplained as error:
            found = str(error)
        if found != str(invoice.total_amount_cents):
            place, total = f"invoice {invoice.number}", str(invoice.total_amount_cents)
            yield Breach(law=INVOICES.name, place=place, expected=found, found=total)
