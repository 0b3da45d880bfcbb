"""How money that goes back to who paid it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, or_, select, update

from tallymark.db.engine import Tx
from tallymark.db.tables import credit_notes, payment_requests_invoices, payments, refunds
from tallymark.rooms.payment_providers.model import PaymentStatus, RefundStatus
from tallymark.rooms.payments.model import Refund

_SUCCEEDED = payments.c.payment_status == PaymentStatus.SUCCEEDED


async def insert_refund(tx: Tx, row: Mapping[str, Any]) -> None:
    await tx.execute(insert(refunds), dict(row))


async def update_refund(tx: Tx, refund_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(refunds).where(refunds.c.id == refund_id).values(**values))


async def find_of_note(tx: Tx, note_id: UUID) -> Refund | None:
    row = (await tx.execute(select(refunds).where(refunds.c.credit_note_id == note_id))).first()
    return _as_refund(row) if row else None


async def find_by_name(tx: Tx, connection_id: UUID, provider_refund_id: str) -> Refund | None:
    column = refunds.c
    named = column.payment_provider_id == connection_id, column.provider_refund_id == provider_refund_id
    row = (await tx.execute(select(refunds).where(*named))).first()
    return _as_refund(row) if row else None


async def unnamed_of_payment(tx: Tx, connection_id: UUID, provider_payment_id: str) -> Sequence[Refund]:
    """Refunds of a payment that its provider was asked for, and has not called by a name yet."""
    column = refunds.c
    statement = (
        select(refunds)
        .join(payments, payments.c.id == column.payment_id)
        .where(
            column.payment_provider_id == connection_id,
            column.provider_refund_id.is_(None),
            column.refund_status == RefundStatus.PENDING,
            payments.c.provider_payment_id == provider_payment_id,
        )
    )
    return [_as_refund(row) for row in await tx.execute(statement)]


async def latest_paid(tx: Tx, invoice_id: UUID) -> tuple[UUID, int] | None:
    """The payment that came in last for an invoice, and what of it was for that invoice (minor units)."""
    held = payment_requests_invoices.c
    cents = func.coalesce(held.paid_amount_cents, payments.c.amount_cents).label("cents")
    statement = (
        select(payments.c.id, cents)
        .outerjoin(
            payment_requests_invoices,
            (held.payment_request_id == payments.c.payment_request_id) & (held.invoice_id == invoice_id),
        )
        .where(_SUCCEEDED, or_(payments.c.invoice_id == invoice_id, held.paid_amount_cents > 0))
        .order_by(payments.c.created_at.desc(), payments.c.id.desc())
        .limit(1)
    )
    row = (await tx.execute(statement)).first()
    return (row.id, int(row.cents)) if row else None


async def paid_back(tx: Tx, payment_id: UUID, invoice_id: UUID) -> int:
    """What of a payment went back for notes on an invoice, or is on its way (minor units)."""
    statement = (
        select(func.coalesce(func.sum(refunds.c.amount_cents), 0))
        .join(credit_notes, credit_notes.c.id == refunds.c.credit_note_id)
        .where(
            refunds.c.payment_id == payment_id,
            refunds.c.refund_status != RefundStatus.FAILED,
            credit_notes.c.invoice_id == invoice_id,
        )
    )
    return int((await tx.execute(statement)).scalar_one())


async def find_payment_by_name(tx: Tx, connection_id: UUID, provider_payment_id: str) -> UUID | None:
    column = payments.c
    named = column.payment_provider_id == connection_id, column.provider_payment_id == provider_payment_id
    found: UUID | None = (await tx.execute(select(column.id).where(*named))).scalar_one_or_none()
    return found


def _as_refund(row: Row[Any]) -> Refund:
    return Refund(**{name: getattr(row, name) for name in Refund.__slots__})
