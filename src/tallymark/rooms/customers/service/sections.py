"""Which custom sections a customer's invoices print (subscriptions §1.8)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid
from tallymark.rooms.customers import repository
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoice_custom_sections import service as sections
from tallymark.rooms.invoice_custom_sections.model import Owner, Section


def check_sections(skips: bool | None, codes: Sequence[str] | None) -> None:
    """Refuse a selection for invoices that print none. Raises `Invalid`."""
    if skips and codes is not None:
        raise Invalid({"invoice_custom_sections": ["skip_sections_and_selected_ids_sent_together"]})


async def choose_sections(
    tx: Tx, customer_id: UUID, *, skips: bool | None, codes: Sequence[str] | None
) -> None:
    """Take a selection: skipping clears it, and codes end the skipping. Raises `Invalid` for an unknown code."""
    if skips:
        await sections.select_sections(tx, Owner.CUSTOMER, customer_id, [])
    if codes is not None:
        await sections.select_sections(tx, Owner.CUSTOMER, customer_id, codes)
        await repository.update_customer(tx, customer_id, {"skip_invoice_custom_sections": False})


async def applicable_sections(tx: Tx, customer: Customer) -> tuple[Section, ...]:
    """What invoices of a customer print, by name: their own selection, else their billing entity's."""
    if customer.skip_invoice_custom_sections:
        return ()
    own = await sections.sections_of(tx, Owner.CUSTOMER, {customer.id})
    if customer.id in own:
        return own[customer.id]
    entity_id = customer.billing_entity_id
    return (await sections.sections_of(tx, Owner.BILLING_ENTITY, {entity_id})).get(entity_id, ())
