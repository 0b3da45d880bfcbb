"""Invoice what corrected events cost more than was billed of them: at once, by the taxes of what was billed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.adjustments import service as adjustments
from tallymark.rooms.adjustments.model import Difference
from tallymark.rooms.billing.service import one_off
from tallymark.rooms.billing.service.corrected import adjustment_line
from tallymark.rooms.billing.service.one_off import About, OneOffLine, Parties
from tallymark.rooms.customers import service as customers
from tallymark.rooms.fees import service as fees
from tallymark.rooms.organizations import service as organizations

GroupKey = tuple[UUID, UUID, str, str | None]
"""Customer, billing entity, currency, purchase order number."""


async def bill_increases(tx: Tx, found: Sequence[Difference], *, now: datetime) -> None:
    """Issue a one-off invoice with a fee for each charge and period, for each customer and issuer; needs the customers' locks."""
    groups: dict[GroupKey, list[Difference]] = {}
    for one in found:
        invoice = one.billed.usage.invoice
        key = (
            invoice.customer_id,
            invoice.billing_entity_id,
            invoice.currency,
            invoice.purchase_order_number,
        )
        groups.setdefault(key, []).append(one)
    for key, of_group in groups.items():
        await _bill(tx, key, of_group, now=now)


async def _bill(tx: Tx, key: GroupKey, found: Sequence[Difference], *, now: datetime) -> None:
    customer_id, entity_id, code, order_number = key
    customer = (await customers.get_customers(tx, {customer_id}))[customer_id]
    entities = await organizations.get_entities(tx, {entity_id, customer.billing_entity_id})
    parties = Parties(
        customer=customer,
        customer_entity=entities[customer.billing_entity_id],
        entity=entities[entity_id],
    )
    printed = (await customers.applicable_sections(tx, [customer])).get(customer_id, ())
    about = About(currency=code, purchase_order_number=order_number, sections=printed)
    lines = [_line(one) for one in found]
    made = await one_off.bill(tx, parties, lines, about, now=now)
    written = (await fees.of_invoices(tx, [made.id]))[made.id]
    await adjustments.keep_increases(
        tx, [(one, fee.id) for one, fee in zip(found, written, strict=True)], now=now
    )


def _line(found: Difference) -> OneOffLine:
    billed = found.billed
    return adjustment_line(
        adjustments.fee_of(found),
        contract=billed.usage.contract,
        item=billed.item,
        taxes=billed.taxes,
        period=billed.usage.window.period,
        name=billed.name,
    )
