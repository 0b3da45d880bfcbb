"""Invoices of their own for what corrected events cost more than was billed of them (beyond.md §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tallymark.db.engine import Tx
from tallymark.domain.fees.model import Fee
from tallymark.domain.periods import Period
from tallymark.rooms.adjustments import service as adjustments
from tallymark.rooms.adjustments.model import PendingAdjustment
from tallymark.rooms.billing.service import one_off
from tallymark.rooms.billing.service.one_off import About, OneOffLine, Parties
from tallymark.rooms.customers import service as customers
from tallymark.rooms.fees import service as fees
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.plans.model import Charge, Commitment
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.taxes.model import Tax


def adjustment_line(
    fee: Fee,
    *,
    contract: Contract,
    item: Charge | Commitment,
    taxes: tuple[Tax, ...],
    period: Period,
    name: str,
) -> OneOffLine:
    """A fee for what a charge, or its plan's commitment, comes to beyond what was billed of a period."""
    columns: dict[str, Any] = {
        "subscription_id": contract.subscription.id,
        "plan_id": contract.plan.id,
        "invoice_display_name": name,
        "from_at": period.start,
        "to_at": period.end,
        **_item_columns(contract, item),
    }
    return OneOffLine(fee=fee, taxes=taxes, columns=columns)


def _item_columns(contract: Contract, item: Charge | Commitment) -> Mapping[str, Any]:
    match item:
        case Charge():
            metric = item.billable_metric
            return {
                "charge_id": item.id,
                "billable_metric_id": metric.id,
                "item_code": metric.code,
                "item_name": metric.name,
                "item_description": metric.description,
            }
        case Commitment():
            plan = contract.plan
            return {"item_code": plan.code, "item_name": plan.name, "item_description": plan.description}


async def bill_waiting(tx: Tx, ended: Sequence[Contract], *, now: datetime) -> None:
    """Invoice what waits for the next invoice of subscriptions that have ended without one; needs the customers' locks.

    It was billed too little of periods that are over: unlike the usage of the last one, nobody has let go of it.
    """
    waiting = await adjustments.pending_of(tx, [contract.subscription.id for contract in ended])
    for contract in ended:
        pending = waiting.get(contract.subscription.id, ())
        if not pending:
            continue
        made = await _bill(tx, contract, _waiting_lines(contract, pending), now=now)
        written = (await fees.of_invoices(tx, [made.id]))[made.id]
        await adjustments.attach(tx, {one.id: fee.id for one, fee in zip(pending, written, strict=True)})


async def gather_waiting(tx: Tx, contract: Contract) -> list[OneOffLine]:
    """The fees that `bill_waiting` would invoice if a subscription ended now, without a last invoice; nothing is written."""
    waiting = await adjustments.pending_of(tx, [contract.subscription.id])
    return _waiting_lines(contract, waiting.get(contract.subscription.id, ()))


def _waiting_lines(contract: Contract, pending: Sequence[PendingAdjustment]) -> list[OneOffLine]:
    return [
        adjustment_line(
            one.fee, contract=contract, item=one.item, taxes=one.taxes, period=one.period, name=one.name
        )
        for one in pending
    ]


async def _bill(tx: Tx, contract: Contract, lines: Sequence[OneOffLine], *, now: datetime) -> Invoice:
    customer = contract.customer
    parties = Parties(
        customer=customer, customer_entity=contract.customer_entity, entity=contract.billing_entity
    )
    about = About(
        currency=contract.plan.amount_currency,
        purchase_order_number=contract.subscription.purchase_order_number,
        sections=(await customers.applicable_sections(tx, [customer])).get(customer.id, ()),
    )
    return await one_off.bill(tx, parties, lines, about, now=now)
