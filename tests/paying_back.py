"""A payment provider that pays back as tests say, and money that one has brought."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from tests.collecting import connect

from tallymark.db.ids import new_id
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.payment_providers.model import Abilities, RefundOrder, RefundOutcome, RefundStatus
from tallymark.rooms.payment_requests import service as requests
from tallymark.rooms.payments import repository
from tallymark.rooms.payments.service.record import note_came_in
from tallymark.rooms.settlements import service as settlements

PAID_BACK = RefundOutcome(refund_status=RefundStatus.SUCCEEDED, status="done")
ON_ITS_WAY = RefundOutcome(refund_status=RefundStatus.PENDING, status="submitted")
BOUNCED = RefundOutcome(
    refund_status=RefundStatus.FAILED, status="bounced", error_code="closed", error_message="No account."
)


class Bank:
    """Pays back as it is told to, and remembers what it was asked; what is asked twice with one key is paid back once."""

    abilities = Abilities(keeps_customers=True, charges=True, refunds=True)

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.answer: RefundOutcome | Exception = PAID_BACK
        self.orders: list[RefundOrder] = []
        self.refunded: dict[str, RefundOutcome] = {}
        self.meanwhile: Callable[[RefundOutcome], Awaitable[Any]] | None = None

    async def refund(self, connection, order):
        self.orders.append(order)
        if isinstance(self.answer, Exception):
            raise self.answer
        answer = named(self.answer, f"re_{order.idempotency_key}")
        known = self.refunded.setdefault(order.idempotency_key, answer)
        if self.meanwhile is not None:
            await self.meanwhile(known)
        return known


class Till(Bank):
    """Takes money and gives none back."""

    abilities = Abilities(keeps_customers=False, has_pages=True)


def named(outcome, name):
    """An outcome of a refund that its provider calls so."""
    return replace(outcome, provider_refund_id=name)


async def collect(database, organization_id, of, amount, *, name, at, kind="stripe"):
    """Money that a provider brought for an invoice or a payment request; the connection's id."""
    connection_id = await connect(database, organization_id, kind)
    is_request = "invoices" in of
    async with database.tenant(organization_id, is_simulated=True) as tx:
        who = UUID(of["customer"]["lago_id"])
        await tx.lock("customer", who)
        row = {
            "id": new_id(), "organization_id": organization_id, "customer_id": who,
            "payment_request_id" if is_request else "invoice_id": UUID(of["lago_id"]),
            "payable_type": "PaymentRequest" if is_request else "Invoice", "payment_type": "provider", "status": "paid",
            "payment_status": "succeeded", "amount_cents": amount, "currency": "EUR", "payment_provider": kind,
            "payment_provider_code": kind, "provider_customer_id": "cus_1", "provider_payment_id": name,
            "payment_provider_id": connection_id, "created_at": at, "updated_at": at,
        }  # fmt: skip
        await repository.insert_payment(tx, row)
        if is_request:
            request = await requests.get_request(tx, UUID(of["lago_id"]))
            held = (await requests.requested_by(tx, [request.id]))[request.id]
            paid = {one.invoice.id: one.invoice.total_due_amount_cents for one in held}
            for one in held:
                await settlements.pay(tx, one.invoice, paid[one.invoice.id], now=at)
            await requests.note_paid(tx, request, paid, now=at)
        else:
            found = await invoices.get_invoice(tx, UUID(of["lago_id"]))
            await settlements.pay(tx, found, amount, now=at)
        payment = (await repository.get_payments(tx, [row["id"]]))[row["id"]]
        await note_came_in(tx, payment, now=at)
    return connection_id
