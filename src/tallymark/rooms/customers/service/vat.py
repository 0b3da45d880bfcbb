"""Choose a customer's taxes, by what is sent and by the rules of the European Union (subscriptions §1.7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.european_vat import (
    PREFIX,
    Place,
    VatNumber,
    Verdict,
    choose_after_check,
    choose_code,
)
from tallymark.jobs import agenda
from tallymark.jobs.activity import Changes, differences
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.customers import repository
from tallymark.rooms.customers.model import Customer, VatCheck
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner, Tax

RETRIES = tuple(timedelta(minutes=minutes) for minutes in (5, 5, 10, 20, 40))
"""How long to wait for the register's next try; then an hour each time."""

FOLLOWED = ("tax_identification_number", "zipcode", "country")
"""What a customer's automatic tax follows from, besides the billing entity."""


async def apply_taxes(
    tx: Tx, before: Customer | None, after: Customer, sent: Sequence[str] | None, *, now: datetime
) -> Changes:
    """Give a customer the taxes sent and the automatic one; queue a check where a VAT number decides. Returns what that changed.

    Raises `NotFound("tax")` for an unknown code.
    """
    entity = await _entity_of(tx, after)
    carried = await _carried(tx, after.id)
    codes = sent
    if entity.eu_tax_management and _must_choose(before, after, carried):
        chosen = choose_code(_place(after, entity))
        if chosen is None:
            await _queue_check(tx, after, now=now)
        else:
            await _end_check(tx, after.id, now=now)
            await taxes.keep_automatic_tax(tx, chosen, now=now)
            codes = [*(sent or ()), chosen]
    elif not entity.eu_tax_management:
        await _end_check(tx, after.id, now=now)
    has_moved = before is not None and before.billing_entity_id != after.billing_entity_id
    if codes is None and has_moved and any(_is_automatic(tax) for tax in carried):
        codes = [tax.code for tax in carried if not _is_automatic(tax)]
    return {} if codes is None else await _replace(tx, after.id, carried, codes, now=now)


async def find_vat_check(tx: Tx, check_id: UUID) -> VatCheck | None:
    """A number that waits for an answer; None when it does not any more."""
    return await repository.find_vat_check(tx, check_id)


async def awaiting_vat_checks(tx: Tx, customer_ids: Collection[UUID]) -> set[UUID]:
    """Of these customers those whose taxes are not known yet: their invoices wait."""
    return await repository.with_vat_checks(tx, customer_ids) if customer_ids else set()


async def record_answer(
    tx: Tx, check: VatCheck, number: VatNumber | None, answer: Mapping[str, Any], *, now: datetime
) -> None:
    """Give the customer the tax that follows from the register's answer, and let their invoices go.

    `number` is None where what the customer gave is no VAT number. An answer is dropped if the number was changed
    meanwhile, or the entity has no automatic taxes any more.
    """
    await tx.lock("customer", check.customer_id)
    current = await repository.find_vat_check(tx, check.id)
    if current is None or current.vat_number != check.vat_number:
        return
    await _end_check(tx, check.customer_id, now=now)
    customer = (await repository.get_customers(tx, {check.customer_id}))[check.customer_id]
    entity = await _entity_of(tx, customer)
    if not entity.eu_tax_management:
        return
    is_valid = number is not None and bool(answer.get("valid"))
    verdict = Verdict(is_valid=is_valid, country=number.country if number else None)
    code = choose_after_check(_place(customer, entity), verdict)
    await taxes.keep_automatic_tax(tx, code, now=now)
    taxed = await _replace(tx, customer.id, await _carried(tx, customer.id), [code], now=now)
    told = dict(answer) if is_valid else {"valid": False, "valid_format": number is not None}
    message = Message(
        webhook_type="customer.vies_check",
        object_type="customer",
        object_id=customer.id,
        activity_type="customer.updated" if taxed else None,
        payload={"vies_check": told},
        changes=taxed,
    )
    await emit(tx, message, now=now)


async def postpone_check(tx: Tx, check: VatCheck, *, now: datetime) -> None:
    """Ask again later: the register did not answer."""
    pause = RETRIES[check.attempts] if check.attempts < len(RETRIES) else timedelta(hours=1)
    await repository.update_vat_check(tx, check.id, {"attempts": check.attempts + 1, "updated_at": now})
    await agenda.put(tx, _item(check.id, now + pause))


def _must_choose(before: Customer | None, after: Customer, carried: Sequence[Tax]) -> bool:
    if before is None or before.billing_entity_id != after.billing_entity_id:
        return True
    if not any(_is_automatic(tax) for tax in carried):
        return True
    return any(_followed(before, name) != _followed(after, name) for name in FOLLOWED)


def _followed(customer: Customer, name: str) -> Any:
    return getattr(customer if name == "tax_identification_number" else customer.address, name)


def _is_automatic(tax: Tax) -> bool:
    return tax.code.startswith(PREFIX)


def _place(customer: Customer, entity: BillingEntity) -> Place:
    return Place(
        country=customer.address.country,
        zipcode=customer.address.zipcode,
        vat_number=customer.tax_identification_number,
        entity_country=entity.country,
    )


async def _entity_of(tx: Tx, customer: Customer) -> BillingEntity:
    found = await organizations.get_entities(tx, {customer.billing_entity_id})
    return found[customer.billing_entity_id]


async def _carried(tx: Tx, customer_id: UUID) -> tuple[Tax, ...]:
    return (await taxes.taxes_of(tx, Owner.CUSTOMER, {customer_id})).get(customer_id, ())


async def _replace(
    tx: Tx, customer_id: UUID, carried: Sequence[Tax], codes: Sequence[str], *, now: datetime
) -> Changes:
    await taxes.replace_taxes(tx, Owner.CUSTOMER, customer_id, codes)
    await taxes.refresh_drafts(tx, [customer_id], now=now)
    before, after = sorted(tax.code for tax in carried), sorted(set(codes))
    return differences({"tax_codes": before}, {"tax_codes": after})


async def _queue_check(tx: Tx, customer: Customer, *, now: datetime) -> None:
    known = await repository.find_vat_check_of(tx, customer.id)
    number = customer.tax_identification_number
    if known is not None and known.vat_number == number:
        return
    values = {"vat_number": number, "attempts": 0, "updated_at": now}
    check_id = new_id() if known is None else known.id
    if known is None:
        keys = {"id": check_id, "organization_id": tx.organization_id, "customer_id": customer.id}
        await repository.insert_vat_check(tx, {**keys, **values, "created_at": now})
    else:
        await repository.update_vat_check(tx, check_id, values)
    await agenda.leave(tx, _item(check_id, now))


async def _end_check(tx: Tx, customer_id: UUID, *, now: datetime) -> None:
    """Wait no longer: the invoices that did are issued."""
    known = await repository.find_vat_check_of(tx, customer_id)
    if known is None:
        return
    await agenda.drop(tx, Kind.CHECK_VAT, known.id)
    await repository.delete_vat_check(tx, known.id)
    await agenda.leave(
        tx,
        *(
            Item(kind=Kind.FINALIZE_INVOICE, subject_id=waiting, owner_id=customer_id, due_at=now)
            for waiting in await repository.pending_invoices(tx, customer_id)
        ),
    )


def _item(check_id: UUID, due_at: datetime) -> Item:
    # Its own owner: while the register is slow, the customer's billing goes on.
    return Item(kind=Kind.CHECK_VAT, subject_id=check_id, owner_id=check_id, due_at=due_at)
