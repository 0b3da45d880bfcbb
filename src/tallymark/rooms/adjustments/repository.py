"""How billed usage is found again, and how differences are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Text,
    and_,
    cast,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    update,
)

from tallymark.db.bulk import insert_rows, update_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.db.tables import billed_terms, billing_records, fees, invoices, usage_adjustments
from tallymark.domain.periods import Period
from tallymark.rooms.adjustments.model import (
    Adjustments,
    BilledRecord,
    CommitmentTerms,
    ItemKey,
    Settled,
    Waived,
)
from tallymark.rooms.plans import terms

_columns = usage_adjustments.c
# A fee of an invoice that was made anew stands for the one that it was.
_copied = fees.alias("copied")
_STANDS = or_(
    _columns.credit_note_id.is_not(None),
    exists(
        select(_copied.c.id)
        .outerjoin(invoices, invoices.c.id == _copied.c.invoice_id)
        .where(
            or_(_copied.c.id == _columns.fee_id, _copied.c.original_fee_id == _columns.fee_id),
            # Some fees are on no invoice.
            or_(invoices.c.id.is_(None), invoices.c.status != "voided"),
        )
    ),
)

_WAITS = exists(
    select(_copied.c.id)
    .join(invoices, invoices.c.id == _copied.c.invoice_id)
    .where(
        _copied.c.id == _columns.fee_id, invoices.c.status.not_in(("finalized", "closed", "voided", "draft"))
    )
)

_IS_ON_DRAFT = exists(
    select(_copied.c.id)
    .join(invoices, invoices.c.id == _copied.c.invoice_id)
    .where(_copied.c.id == _columns.fee_id, invoices.c.status == "draft")
)
# A draft is computed anew before it is issued: what is on it may still be told otherwise.
_IS_PENDING = and_(_columns.status == "pending", or_(_columns.fee_id.is_(None), _IS_ON_DRAFT))


_OWN = invoices.alias("own")
_IS_VOID = exists(select(_OWN.c.id).where(_OWN.c.id == _columns.invoice_id, _OWN.c.status == "voided"))
_IS_OF_VOID = and_(
    _IS_VOID,
    ~exists(
        select(_copied.c.id)
        .outerjoin(invoices, invoices.c.id == _copied.c.invoice_id)
        .where(_copied.c.id == _columns.fee_id, or_(invoices.c.id.is_(None), invoices.c.status != "voided"))
    ),
)
"""Whether an adjustment is of a void invoice, and no other one has its fee."""


async def final_records(tx: Tx, subscription_ids: Collection[UUID]) -> list[BilledRecord]:
    """The windows of subscriptions' usage on final invoices, the first one first; as decision 10 has them."""
    return await _records(tx, subscription_ids, invoices.c.finalized_at.is_not(None))


async def draft_records(tx: Tx, subscription_ids: Collection[UUID]) -> list[BilledRecord]:
    """The windows of subscriptions' usage on drafts, the first one first."""
    return await _records(tx, subscription_ids, invoices.c.status == "draft")


async def _records(
    tx: Tx, subscription_ids: Collection[UUID], is_meant: ColumnElement[bool]
) -> list[BilledRecord]:
    record = billing_records.c
    statement = (
        select(
            record.invoice_id,
            record.subscription_id,
            record.is_recurring.label("is_periodic"),
            record.billed_at,
            record.charges_from_at.label("from_at"),
            record.charges_to_at.label("to_at"),
            record.wire_charges_to_at.label("wire_to_at"),
            record.charges_full_from_at.label("full_from_at"),
            record.charges_full_to_at.label("full_to_at"),
            invoices.c.finalized_at,
            cast(billed_terms.c.charges, Text).label("charges"),
        )
        .join(invoices, invoices.c.id == record.invoice_id)
        .outerjoin(billed_terms, billed_terms.c.id == record.billed_terms_id)
        .where(
            among(record.subscription_id, subscription_ids),
            or_(record.is_recurring, record.invoicing_reason == "subscription_terminating"),
            record.charges_from_at < record.charges_to_at,
            is_meant,
            invoices.c.voided_invoice_id.is_(None),
        )
        .order_by(record.charges_from_at, record.invoice_id)
    )
    return [
        BilledRecord(
            **{**row._mapping, "charges": None if row.charges is None else terms.decode(row.charges)}
        )
        for row in await tx.execute(statement)
    ]


async def settled_of(tx: Tx, subscription_ids: Collection[UUID]) -> list[Settled]:
    """The commitments that final invoices held periods of subscriptions against, the first period first."""
    record = billing_records.c
    statement = (
        select(
            record.invoice_id,
            record.subscription_id,
            invoices.c.finalized_at,
            cast(record.commitment_terms, Text).label("terms"),
        )
        .join(invoices, invoices.c.id == record.invoice_id)
        .where(
            among(record.subscription_id, subscription_ids),
            record.commitment_terms.is_not(None),
            invoices.c.finalized_at.is_not(None),
            invoices.c.voided_invoice_id.is_(None),
        )
        .order_by(record.billed_at, record.invoice_id)
    )
    return [
        Settled(**{**row._mapping, "terms": msgspec.json.decode(row.terms, type=CommitmentTerms)})
        for row in await tx.execute(statement)
    ]


async def add_spent(tx: Tx, *, invoice_id: UUID, subscription_id: UUID, cents: int) -> None:
    """Note that more was spent in the period of a commitment than was known when it was held against it."""
    record = billing_records.c
    spent = cast(record.commitment_terms["spent_cents"].astext, BigInteger) + cents
    terms = func.jsonb_set(record.commitment_terms, text("'{spent_cents}'"), func.to_jsonb(spent))
    of_record = and_(
        record.invoice_id == invoice_id,
        record.subscription_id == subscription_id,
        record.commitment_terms.is_not(None),
    )
    await tx.execute(update(billing_records).where(of_record).values(commitment_terms=terms))


async def adjusted_of(tx: Tx, subscription_ids: Collection[UUID]) -> dict[ItemKey, Adjustments]:
    """What was adjusted of charges and commitments of subscriptions."""
    statement = (
        select(
            _columns.subscription_id,
            _columns.charge_id,
            _columns.from_at,
            _columns.to_at,
            _columns.status,
            _columns.amount_cents,
            _columns.fee_id,
            _STANDS.label("stands"),
            _WAITS.label("waits"),
            _IS_PENDING.label("is_pending"),
            _IS_OF_VOID.label("is_of_void"),
        )
        .where(among(_columns.subscription_id, subscription_ids))
        .order_by(_columns.id)
    )
    found: dict[ItemKey, Adjustments] = defaultdict(Adjustments)
    for row in await tx.execute(statement):
        of_charge = found[row.subscription_id, row.charge_id, row.from_at]
        of_charge.to_at = row.to_at
        of_charge.is_waiting |= row.waits
        if row.is_pending or row.stands or row.status != "superseded":
            of_charge.spent_cents += 0 if row.is_of_void else row.amount_cents
            of_charge.void_cents += row.amount_cents if row.is_of_void else 0
        if row.is_pending:
            of_charge.pending_cents += row.amount_cents
        elif row.status != "waived" and row.stands:
            of_charge.standing_cents += row.amount_cents
            if row.amount_cents > 0:
                of_charge.increase_fee_ids.append(row.fee_id)
        elif row.status != "superseded":
            of_charge.forgone_cents += row.amount_cents
    return found


async def waived_of(tx: Tx, invoice_id: UUID) -> set[ItemKey]:
    """The charges and commitments of an invoice of which something was waived."""
    statement = select(_columns.subscription_id, _columns.charge_id, _columns.from_at).where(
        _columns.invoice_id == invoice_id, _columns.status == "waived"
    )
    return {(row.subscription_id, row.charge_id, row.from_at) for row in await tx.execute(statement)}


async def waived_decreases(tx: Tx, subscription_ids: Collection[UUID]) -> list[Waived]:
    """What nothing was there to be given back of, of charges of subscriptions."""
    statement = (
        select(usage_adjustments)
        .where(
            among(_columns.subscription_id, subscription_ids),
            _columns.charge_id.is_not(None),
            _columns.status == "waived",
            _columns.amount_cents < 0,
        )
        .order_by(_columns.from_at, _columns.id)
    )
    return [
        Waived(
            id=row.id,
            subscription_id=row.subscription_id,
            charge_id=row.charge_id,
            period=Period(row.from_at, row.to_at),
            currency=row.currency,
            amount_cents=row.amount_cents,
        )
        for row in await tx.execute(statement)
    ]


async def drop(tx: Tx, ids: Collection[UUID]) -> None:
    """Forget adjustments."""
    await tx.execute(delete(usage_adjustments).where(among(_columns.id, ids)))


async def standing_fees(tx: Tx, fee_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The fees that stand for some: themselves, or those of the invoices that took the place of theirs; by the first ones."""
    statement = (
        select(_copied.c.id, func.coalesce(_copied.c.original_fee_id, _copied.c.id).label("first_id"))
        .outerjoin(invoices, invoices.c.id == _copied.c.invoice_id)
        .where(
            or_(among(_copied.c.id, fee_ids), among(_copied.c.original_fee_id, fee_ids)),
            or_(invoices.c.id.is_(None), invoices.c.status != "voided"),
        )
    )
    return {row.first_id: row.id for row in await tx.execute(statement)}


async def event_fees(
    tx: Tx,
    *,
    subscription_ids: Collection[UUID],
    charge_ids: Collection[UUID],
    starts: Collection[datetime],
    event_ids: Collection[UUID],
) -> list[UUID]:
    """The fees of events that charges in advance billed for windows, and those of some events, as they were made first."""
    in_windows = and_(
        among(fees.c.subscription_id, subscription_ids),
        fees.c.from_at.in_(starts),
        fees.c.event_id.is_not(None),
    )
    statement = select(fees.c.id).where(
        among(fees.c.charge_id, charge_ids),
        or_(in_windows, among(fees.c.event_id, event_ids)),
        fees.c.original_fee_id.is_(None),
    )
    return list((await tx.execute(statement)).scalars())


async def supersede(tx: Tx, key: ItemKey) -> None:
    """Forget what was forgone of a charge, or is pending: its next difference has it."""
    subscription_id, charge_id, from_at = key
    of_charge = and_(
        _columns.subscription_id == subscription_id,
        _columns.charge_id.is_not_distinct_from(charge_id),
        _columns.from_at == from_at,
    )
    told_anew = or_(_columns.status == "waived", _IS_PENDING)
    await tx.execute(delete(usage_adjustments).where(of_charge, told_anew))
    await tx.execute(update(usage_adjustments).where(of_charge, ~_STANDS).values(status="superseded"))


async def move(tx: Tx, voided_id: UUID, made_id: UUID) -> None:
    """Have adjustments of an invoice be of another."""
    of_invoice = _columns.invoice_id == voided_id
    await tx.execute(update(usage_adjustments).where(of_invoice).values(invoice_id=made_id))


async def insert(tx: Tx, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Keep adjustments; their columns but for id, organization and time."""
    keys = {"organization_id": tx.organization_id, "created_at": now}
    await insert_rows(tx, usage_adjustments, [{"id": new_id(), **keys, **row} for row in rows])


async def pending_of(
    tx: Tx, subscription_ids: Collection[UUID], *, invoice_id: UUID | None
) -> list[Row[Any]]:
    """What waits for the next invoices of subscriptions, and what is on one draft already; nothing of void invoices."""
    own = select(_copied.c.id).where(_copied.c.invoice_id == invoice_id)
    is_free = or_(_columns.fee_id.is_(None), _columns.fee_id.in_(own))
    statement = select(
        _columns.id,
        _columns.subscription_id,
        _columns.from_at,
        _columns.to_at,
        _columns.amount_cents,
        _columns.currency,
        cast(_columns.content, Text).label("content"),
    ).where(
        among(_columns.subscription_id, subscription_ids), _columns.status == "pending", is_free, ~_IS_VOID
    )
    return list(await tx.execute(statement.order_by(_columns.from_at, _columns.id)))


async def attach(tx: Tx, fee_ids: Mapping[UUID, UUID]) -> None:
    """Note which fees bill adjustments, by these."""
    await update_rows(tx, usage_adjustments, [{"id": key, "fee_id": fee} for key, fee in fee_ids.items()])
