"""Which custom sections a customer's invoices print (subscriptions §1.8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid
from tallymark.jobs.activity import Changes, differences
from tallymark.rooms.customers import repository
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.customers.service.funding import generated_sections, known_sections
from tallymark.rooms.invoice_custom_sections import service as sections
from tallymark.rooms.invoice_custom_sections.model import Owner, Section


def check_sections(skips: bool | None, codes: Sequence[str] | None) -> None:
    """Refuse a selection for invoices that print none. Raises `Invalid`."""
    if skips and codes is not None:
        raise Invalid({"invoice_custom_sections": ["skip_sections_and_selected_ids_sent_together"]})


async def choose_sections(
    tx: Tx, customer_id: UUID, *, skips: bool | None, codes: Sequence[str] | None
) -> Changes:
    """Take a selection: skipping clears it, and codes end the skipping; what that changed. Raises `Invalid` for an unknown code."""
    if not skips and codes is None:
        return {}
    before = await _selected(tx, customer_id)
    if skips:
        await sections.select_sections(tx, Owner.CUSTOMER, customer_id, [])
    if codes is not None:
        await sections.select_sections(tx, Owner.CUSTOMER, customer_id, codes)
        await repository.update_customer(tx, customer_id, {"skip_invoice_custom_sections": False})
    return differences(before, await _selected(tx, customer_id))


async def _selected(tx: Tx, customer_id: UUID) -> Mapping[str, list[str]]:
    found = (await sections.sections_of(tx, Owner.CUSTOMER, {customer_id})).get(customer_id, ())
    return {"invoice_custom_section_codes": [section.code for section in found]}


async def applicable_sections(tx: Tx, of: Iterable[Customer]) -> dict[UUID, tuple[Section, ...]]:
    """What invoices of customers print: their own selection by name, else their billing entity's, and what is generated for them."""
    printing = [customer for customer in of if not customer.skip_invoice_custom_sections]
    selected = await _selected_sections(tx, printing)
    return {one.id: (*selected[one.id], *generated_sections(tx, one)) for one in printing}


async def shown_sections(tx: Tx, of: Iterable[Customer]) -> dict[UUID, tuple[Section, ...]]:
    """The same as people are shown it: what is generated says what it is known to."""
    printing = [customer for customer in of if not customer.skip_invoice_custom_sections]
    selected = await _selected_sections(tx, printing)
    generated = await known_sections(tx, printing)
    return {one.id: (*selected[one.id], *generated.get(one.id, ())) for one in printing}


async def _selected_sections(tx: Tx, printing: Sequence[Customer]) -> dict[UUID, tuple[Section, ...]]:
    own = await sections.sections_of(tx, Owner.CUSTOMER, {customer.id for customer in printing})
    entity_ids = {customer.billing_entity_id for customer in printing if customer.id not in own}
    of_entities = await sections.sections_of(tx, Owner.BILLING_ENTITY, entity_ids)
    return {
        customer.id: own.get(customer.id) or of_entities.get(customer.billing_entity_id, ())
        for customer in printing
    }
