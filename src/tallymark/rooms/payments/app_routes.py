"""The door to what the app shows of a payment beside itself: what it paid of which invoices."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.context import InContext
from tallymark.api.permissions import permitted
from tallymark.api.routing import member_router
from tallymark.api.wire import Instant, read_id
from tallymark.rooms.payments import service
from tallymark.rooms.payments.model import PaidPart

router = member_router("app: payments")


class PaidInvoiceOutput(BaseModel):
    lago_id: UUID
    number: str
    issuing_date: date
    payment_due_date: date
    status: str
    payment_status: str
    payment_overdue: bool
    payment_dispute_lost_at: Instant | None
    currency: str
    total_amount_cents: int
    total_paid_amount_cents: int
    total_due_amount_cents: int
    paid_amount_cents: int
    """What this payment paid of it: nothing, as long as it has not succeeded."""

    @classmethod
    def of(cls, part: PaidPart) -> PaidInvoiceOutput:
        """Show an invoice, and what a payment paid of it."""
        invoice = part.invoice
        return cls(
            lago_id=invoice.id,
            number=invoice.number,
            issuing_date=invoice.issuing_date,
            payment_due_date=invoice.payment_due_date,
            status=invoice.status,
            payment_status=invoice.payment_status,
            payment_overdue=invoice.payment_overdue,
            payment_dispute_lost_at=invoice.payment_dispute_lost_at,
            currency=invoice.currency,
            total_amount_cents=invoice.total_amount_cents,
            total_paid_amount_cents=invoice.total_paid_amount_cents,
            total_due_amount_cents=invoice.total_due_amount_cents,
            paid_amount_cents=part.amount_cents,
        )


class PaidInvoicesResponse(BaseModel):
    invoices: list[PaidInvoiceOutput]


@router.get("/payments/{lago_id}/invoices")
@permitted("payments:view")
async def list_paid_invoices(lago_id: str, context: InContext) -> PaidInvoicesResponse:
    """Tell which invoices a payment is of, how they stand now, and what it paid of each (ui §3.4)."""
    async with context.transaction() as tx:
        payment = await service.get_payment(tx, read_id(lago_id, "payment"))
        parts = await service.get_parts(tx, payment)
    return PaidInvoicesResponse(invoices=[PaidInvoiceOutput.of(part) for part in parts])
