"""Fees on no invoice: of events, and of what recurring charges in advance carry into a period (pricing §8.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.invoicing import InvoicedFee, compute_invoice
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.adjustments import service as adjustments
from tallymark.rooms.billing.model import Computed, Line, Subject
from tallymark.rooms.billing.service.rows import fee_rows
from tallymark.rooms.fees import service as fees
from tallymark.rooms.invoices.model import Reason
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.usage import service as usage
from tallymark.rooms.usage.service import TaxTable


async def save_standalone(tx: Tx, lines: Sequence[Line], *, now: datetime) -> None:
    """Make fees that are on no invoice, their taxes computed at once, each by itself."""
    for line in lines:
        computed = Computed(subjects=(), lines=(line,), totals=compute_invoice([invoiced(line)]))
        rows, tax_rows = fee_rows(computed, invoice_id=None, organization_id=tx.organization_id, now=now)
        await fees.save_fees(tx, rows, tax_rows)
        await emit(tx, *(fee_created(row["id"]) for row in rows), now=now)


async def renew_standalone(tx: Tx, subjects: Sequence[Subject], *, now: datetime) -> None:
    """Bill the carried-over units of recurring charges in advance that are on no invoice, zero ones too (invoicing §4)."""
    renewing = [subject for subject in subjects if renewed_charges(subject, invoiceable=False)]
    if not renewing:
        return
    table = await usage.gather_taxes(tx, [subject.contract for subject in renewing])
    for subject in renewing:
        lines = await renewal_lines(tx, subject, renewed_charges(subject, invoiceable=False), table)
        await save_standalone(tx, lines, now=now)


def renewed_charges(subject: Subject, *, invoiceable: bool) -> list[Charge]:
    """The recurring charges in advance that a record bills again.

    None at a start, nor where an upgrade or nothing follows the subscription.
    """
    is_renewal = subject.reason is Reason.PERIODIC or (
        subject.reason is Reason.TERMINATING and subject.contract.life.is_downgraded
    )
    window = subject.boundaries.charges
    if not is_renewal or window is None or not window.is_billable:
        return []
    return [
        charge
        for charge in subject.contract.plan.charges
        if charge.pay_in_advance and charge.billable_metric.recurring and charge.invoiceable is invoiceable
    ]


async def renewal_lines(tx: Tx, subject: Subject, charges: Sequence[Charge], table: TaxTable) -> list[Line]:
    """The full units carried over at the end of the window, for the period that begins (metering §5.5)."""
    window = subject.boundaries.charges
    if window is None or not charges:
        return []
    scope = usage.RatingScope(contract=subject.contract, window=window, taxes=table)
    upcoming = adjustments.renewed_period(subject.contract, subject.at)
    return [
        Line(fee=line.fee, contract=subject.contract, taxes=line.taxes, period=upcoming, usage=line)
        for line in await usage.gather_charge_lines(tx, scope, charges)
    ]


def invoiced(line: Line) -> InvoicedFee:
    """A line as the domain taxes it."""
    return InvoicedFee(fee=line.fee, taxes=tuple(tax.as_rate for tax in line.taxes))


def fee_created(fee_id: UUID) -> Message:
    """The message that a fee was made."""
    return Message(webhook_type="fee.created", object_type="fee", object_id=fee_id)
