"""What an invoice takes over of usage that was billed progressively: gathered for a whole wave at once (invoicing §5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import FeeType
from tallymark.domain.invoicing import Billed, ProgressiveCredit, ProgressiveInvoice
from tallymark.domain.invoicing.explain import credit_terms
from tallymark.domain.invoicing.progressive import SHARE_UNITS
from tallymark.rooms.billing.model import Computed, Credited, Line, Source, Subject
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices import progressive
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import (
    BillingRecord,
    Draw,
    Invoice,
    InvoiceStatus,
    ProgressiveRecord,
    Reason,
)

CREDITING = (Reason.PERIODIC, Reason.TERMINATING, Reason.PROGRESSIVE)
"""Records that bill the usage of a window, and so take over what was billed of it."""


async def gather(tx: Tx, subjects: Sequence[Subject], *, except_invoice: UUID | None) -> dict[UUID, Source]:
    """The latest progressive invoice of each subscription's window with what is left of it, where there is one.

    `except_invoice` is the one that is computed anew: what it drew does not count.
    """
    return await gather_at(tx, _instants(subjects), except_invoice=except_invoice)


async def gather_of_records(tx: Tx, records: Sequence[BillingRecord]) -> dict[UUID, Source]:
    """The same for an invoice that is made anew of another one's records."""
    begins = {
        record.subscription_id: record.charges_from_at
        for record in records
        if record.invoicing_reason in CREDITING and record.charges_from_at is not None
    }
    return await gather_at(tx, begins, except_invoice=None)


async def gather_at(
    tx: Tx, instants: Mapping[UUID, datetime], *, except_invoice: UUID | None
) -> dict[UUID, Source]:
    """The same by subscription, for windows that begin at an instant each."""
    windows = await progressive.progressive_invoices(tx, instants)
    ids = {record.invoice.id for records in windows.values() for record in records}
    if not ids:
        return {}
    book = _Book(
        draws=await progressive.draws_from(tx, ids),
        returned=await credit_notes.credited_before_taxes(tx, ids),
        except_invoice=except_invoice,
    )
    latest = {
        subscription_id: standing[-1]
        for subscription_id, records in windows.items()
        if (standing := [one for one in records if one.stands and one.invoice.id != except_invoice])
    }
    lines = await fees.of_invoices(tx, [record.invoice.id for record in latest.values()])
    return {
        subscription_id: book.source(
            windows[subscription_id], record.invoice, tuple(lines.get(record.invoice.id, ()))
        )
        for subscription_id, record in latest.items()
    }


def _instants(subjects: Sequence[Subject]) -> dict[UUID, datetime]:
    """When the usage windows begin of the records that bill one."""
    return {
        subject.contract.subscription.id: window.period.start
        for subject in subjects
        for window in [subject.boundaries.charges]
        if subject.reason in CREDITING and window is not None and window.is_billable
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """What was drawn from progressive invoices, and what notes gave back of each before taxes."""

    draws: Sequence[Draw]
    returned: Mapping[UUID, int]
    except_invoice: UUID | None

    def source(
        self, records: Sequence[ProgressiveRecord], latest: Invoice, lines: tuple[FeeRecord, ...]
    ) -> Source:
        by_id = {record.invoice.id: record for record in records}
        chain = list(self._chain(latest.id, by_id))
        known: ProgressiveInvoice | None = None
        billed: list[tuple[Invoice, int]] = []
        for record in reversed(chain):
            known = self._as_known(record, known)
            if record.stands and known.own_cents:
                billed.append((record.invoice, known.own_cents))
        assert known is not None, "the latest is in its own chain"
        drawn = sum(
            draw.amount_cents
            for draw in self.draws
            if draw.source_id == latest.id and draw.stands and draw.invoice_id != self.except_invoice
        )
        return Source(
            invoice=latest,
            available_cents=max(known.covered_cents - drawn, 0),
            fees=lines,
            billed=tuple(reversed(billed)),
        )

    def _chain(
        self, invoice_id: UUID, by_id: Mapping[UUID, ProgressiveRecord]
    ) -> Iterator[ProgressiveRecord]:
        """An invoice and those whose usage it took over, the latest first."""
        sources = {draw.invoice_id: draw.source_id for draw in self.draws}
        here: UUID | None = invoice_id
        while here is not None and here in by_id:
            yield by_id[here]
            here = sources.get(here)

    def _as_known(self, record: ProgressiveRecord, before: ProgressiveInvoice | None) -> ProgressiveInvoice:
        invoice = record.invoice
        return ProgressiveInvoice(
            fees_amount_cents=invoice.fees_amount_cents,
            coupons_amount_cents=invoice.coupons_amount_cents,
            credit_amount_cents=invoice.progressive_billing_credit_amount_cents,
            returned_cents=self.returned.get(invoice.id, 0),
            is_voided=not record.stands,
            before=before,
        )


def as_billed(source: Source, subscription_id: UUID, lines: Sequence[Line]) -> Billed:
    """A source as the domain sees it, over the lines of the invoice at hand."""
    own = {
        index: line
        for index, line in enumerate(lines)
        if line.contract.subscription.id == subscription_id
        and line.fee.fee_type is FeeType.CHARGE
        and not line.is_adjustment
    }
    charges = {fee.charge_id for fee in source.fees}
    return Billed(
        available_cents=source.available_cents,
        amounts=tuple((_position(fee, own), fee.amount_cents) for fee in source.fees),
        usage=frozenset(index for index, line in own.items() if _charge_ids(line) & charges),
        charges=frozenset(own),
    )


def _position(fee: FeeRecord, lines: Mapping[int, Line]) -> int | None:
    """The line of the same charge, filter and group."""
    return next((index for index, line in lines.items() if _is_same(fee, line)), None)


def _is_same(fee: FeeRecord, line: Line) -> bool:
    if fee.charge_id not in _charge_ids(line):
        return False
    stored, usage = line.stored, line.usage
    if stored is not None:
        is_of_filter = _has_filter(fee, stored.charge_filter_id, stored.filter_values)
        is_usage, grouped_by = stored.true_up_parent_fee_id is None, stored.grouped_by
    elif usage is not None:
        chosen = usage.filter
        is_of_filter = _has_filter(fee, chosen.id, chosen.values) if chosen else fee.charge_filter_id is None
        is_usage, grouped_by = not line.is_true_up, usage.grouped_by
    else:
        return False
    return is_usage and is_of_filter and dict(grouped_by) == dict(fee.grouped_by)


def _charge_ids(line: Line) -> set[UUID | None]:
    """Under which ids a charge may have been billed: a plan of one's own copies its parent's charges."""
    if line.stored is not None:
        return {line.stored.charge_id, line.stored.charge_parent_id} - {None}
    return {line.charge.id, line.charge.parent_id} - {None} if line.charge else set()


def _has_filter(fee: FeeRecord, filter_id: UUID | None, values: Mapping[str, Sequence[str]] | None) -> bool:
    """Whether a fee is of this filter, or of the one with the same values that it was copied from."""
    if filter_id is None or fee.charge_filter_id is None:
        return filter_id is fee.charge_filter_id
    return fee.charge_filter_id == filter_id or _listed(fee.filter_values) == _listed(values)


def _listed(values: Mapping[str, Sequence[str]] | None) -> dict[str, list[str]]:
    return {key: list(of_key) for key, of_key in (values or {}).items()}


def kept_credit(credit_cents: int, shares: Sequence[Fraction]) -> list[Billed]:
    """What an invoice took over already, as its fees share it: for taxing it anew, when nothing else of it changes."""
    if not credit_cents:
        return []
    fees = frozenset(range(len(shares)))
    amounts = [(index, int(share * SHARE_UNITS)) for index, share in enumerate(shares)]
    return [Billed(available_cents=credit_cents, amounts=amounts, usage=fees, charges=fees)]


def credited(sources: Mapping[UUID, Source], credits: Sequence[ProgressiveCredit]) -> tuple[Credited, ...]:
    """What was taken over of each source, in their order."""
    return tuple(
        Credited(
            source=source,
            amount_cents=credit.amount_cents,
            excess_cents=credit.excess_cents,
            terms=credit_terms(credit.shares),
        )
        for source, credit in zip(sources.values(), credits, strict=True)
    )


async def take_over(tx: Tx, made: Sequence[tuple[UUID, Computed]], *, now: datetime) -> None:
    """Write what invoices took over, and credit what was billed beyond their usage; needs the customers' locks.

    The credit is there at once: the invoice itself may use it when it is issued (§11.6).
    """
    await invoices.save_credits(tx, credit_rows(tx, made, now=now))
    in_excess = [found for _, computed in made for found in excesses(computed)]
    await credit_notes.give_back_excess(tx, in_excess, now=now)


def excesses(computed: Computed) -> Iterator[tuple[Invoice, int]]:
    """What was billed beyond the usage: of the latest invoice first, and no more of each than it billed itself.

    One that waits for its taxes is not final: the invoice that takes it over waits as well, and is computed again.
    """
    for one in computed.credited:
        left = one.excess_cents
        for invoice, billed_cents in one.source.billed:
            part = min(left, billed_cents)
            if part and invoice.status is InvoiceStatus.FINALIZED:
                yield invoice, part
                left -= part


def credit_rows(tx: Tx, made: Sequence[tuple[UUID, Computed]], *, now: datetime) -> list[dict[str, Any]]:
    """What invoices took over, as rows of their credits."""
    return [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "invoice_id": invoice_id,
            "progressive_invoice_id": one.source.invoice.id,
            "amount_cents": one.amount_cents,
            "terms": one.terms,
            "currency": one.source.invoice.currency,
            "before_taxes": True,
            "item_type": "invoice",
            "item_code": one.source.invoice.number,
            "item_name": one.source.invoice.number,
            "item_description": None,
            "created_at": now,
        }
        for invoice_id, computed in made
        for one in computed.credited
        if one.amount_cents
    ]
