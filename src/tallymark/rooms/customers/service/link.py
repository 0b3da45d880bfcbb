"""What is asked of a provider about a customer who is linked to it, one thing after the other, and what follows (wallets-and-payments §12.2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.customers import funding_rows, repository
from tallymark.rooms.customers.model import ADDRESS, Ask, Customer, LinkTask, Step
from tallymark.rooms.customers.service.provider import sends_money
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.payment_providers import service as payment_providers
from tallymark.rooms.payment_providers.model import Connection, LinkFailed, Person
from tallymark.rooms.payment_providers.service import Vault

PATIENCE = timedelta(minutes=1)
"""How long whoever waits for a provider is left alone with it, before a job takes what was cut off."""

FOLLOWED = ("name", "email", "phone", *ADDRESS)
"""What a provider is told of that changes (§12.2)."""


async def note_steps(
    tx: Tx, customer_id: UUID, steps: Iterable[Step], *, is_anew: bool, is_awaited: bool, now: datetime
) -> None:
    """Have a customer's provider asked; `is_anew` forgets what was to be asked of another one.

    Who waits for it asks themselves: a job does so only if that comes to nothing.
    """
    known = await repository.find_task(tx, customer_id=customer_id)
    kept = () if known is None or is_anew else known.steps
    wanted = [step.value for step in Step if step in {*kept, *steps}]
    if not wanted:
        if known is not None:
            await _end(tx, known.id)
        return
    task_id = known.id if known else new_id()
    values: dict[str, Any] = {"steps": wanted, "updated_at": now}
    if known is None:
        keys = {"id": task_id, "organization_id": tx.organization_id, "customer_id": customer_id}
        await repository.insert_task(tx, {**keys, **values, "created_at": now})
    else:
        await repository.update_task(tx, task_id, values)
    # Its own owner: while the provider is slow, the customer's billing goes on.
    item = Item(kind=Kind.LINK_CUSTOMER, subject_id=task_id, owner_id=task_id, due_at=now)
    if is_awaited:
        await agenda.put(
            tx,
            Item(kind=item.kind, subject_id=task_id, owner_id=task_id, due_at=now, run_at=now + PATIENCE),
        )
    else:
        await agenda.leave(tx, item)


async def find_task(tx: Tx, customer_id: UUID) -> LinkTask | None:
    """What is still to be asked of a customer's provider."""
    return await repository.find_task(tx, customer_id=customer_id)


async def next_ask(tx: Tx, vault: Vault, task_id: UUID) -> Ask | None:
    """What is to be asked next; None when nothing is, or the customer is linked no more."""
    task = await repository.find_task(tx, task_id=task_id)
    if task is None:
        return None
    customer = (await repository.get_customers(tx, {task.customer_id}))[task.customer_id]
    if customer.deleted_at is None and customer.payment_provider_id is not None:
        connection = await payment_providers.get_connection(tx, vault, customer.payment_provider_id)
        assert connection is not None, "connections stay"
        return Ask(
            task_id=task.id,
            step=task.steps[0],
            customer=customer,
            connection=connection,
            person=await person_of(tx, customer),
            currency=await _currency_to_fund(tx, customer) if task.steps[0] is Step.FUND else None,
        )
    await _end(tx, task.id)
    return None


async def _currency_to_fund(tx: Tx, customer: Customer) -> str | None:
    """The next currency of which it is to be asked how they send money; None for whoever sends none, or is nobody there yet."""
    if customer.provider_customer_id is None or not sends_money(customer):
        return None
    known = await funding_rows.of_customers(tx, {customer.id})
    return next((one.currency for one in known if one.accounts is None and one.refused_at is None), None)


async def person_of(tx: Tx, customer: Customer) -> Person:
    """A customer as their provider is told of them."""
    entities = await organizations.get_entities(tx, {customer.billing_entity_id})
    entity, address, name = entities[customer.billing_entity_id], customer.address, customer.display_name
    return Person(
        customer_id=customer.id,
        external_id=customer.external_id,
        name=None if name == customer.external_id else name,
        email=(customer.email or "").split(",")[0].strip() or None,
        phone=customer.phone,
        currency=customer.currency,
        address_line1=address.address_line1,
        address_line2=address.address_line2,
        city=address.city,
        zipcode=address.zipcode,
        state=address.state,
        country=address.country,
        provider_customer_id=customer.provider_customer_id,
        provider_payment_methods=tuple(customer.provider_payment_methods or ()),
        entity_country=entity.country,
        entity_currency=entity.default_currency,
    )


async def linked(tx: Tx, vault: Vault, customer: Customer) -> tuple[Connection, Person]:
    """The connection that a customer is linked to. Raises `Invalid` with `no_linked_payment_provider`."""
    found = None
    if customer.payment_provider_id is not None:
        found = await payment_providers.get_connection(tx, vault, customer.payment_provider_id)
    if found is None:
        raise Invalid({"base": ["no_linked_payment_provider"]})
    return found, await person_of(tx, customer)


async def finish(tx: Tx, ask: Ask, *, now: datetime) -> None:
    """Note that a step is taken, unless the link is another one meanwhile, or there is more to tell."""
    await tx.lock("customer", ask.customer.id)
    task = await repository.find_task(tx, task_id=ask.task_id)
    current = await is_current(tx, ask)
    if task is None or current is None or ask.step not in task.steps:
        return
    if ask.step is Step.FOLLOW and await person_of(tx, current) != ask.person:
        return
    if ask.currency is not None and await _currency_to_fund(tx, current) is not None:
        return
    left = [step.value for step in task.steps if step is not ask.step]
    if left:
        await repository.update_task(tx, task.id, {"steps": left, "updated_at": now})
    else:
        await _end(tx, task.id)


async def note_created(tx: Tx, ask: Ask, provider_customer_id: str | None, *, now: datetime) -> None:
    """Note who a customer is at their provider, and tell it; None where that is told later."""
    await tx.lock("customer", ask.customer.id)
    await payment_providers.hold(tx)
    current = await is_current(tx, ask)
    if current is not None and provider_customer_id is not None:
        await set_identity(tx, current, provider_customer_id, now=now)
    await finish(tx, ask, now=now)


async def set_identity(tx: Tx, customer: Customer, provider_customer_id: str, *, now: datetime) -> None:
    """Write who a customer is at their provider, and tell that they are linked now. Needs the customer's lock."""
    before = customer.provider_customer_id
    if before == provider_customer_id:
        return
    values = {"provider_customer_id": provider_customer_id, "updated_at": now}
    await repository.update_customer(tx, customer.id, values)
    message = Message(
        webhook_type="customer.payment_provider_created",
        object_type="customer",
        object_id=customer.id,
        activity_type="customer.updated",
        changes={"provider_customer_id": [before, provider_customer_id]},
    )
    await emit(tx, message, now=now)


async def note_page(tx: Tx, ask: Ask, url: str, *, now: datetime) -> None:
    """Tell of the page on which a customer leaves a method."""
    if await is_current(tx, ask) is not None:
        name = "payment_provider_customer_checkout_url"
        told = {**_who(ask.customer), "checkout_url": url}
        message = Message(
            webhook_type="customer.checkout_url_generated",
            object_type=name,
            object_id=ask.customer.id,
            payload={name: told},
        )
        await emit(tx, message, now=now)
    await finish(tx, ask, now=now)


async def note_refused(tx: Tx, ask: Ask, error: Exception, *, now: datetime) -> None:
    """Tell what a provider refuses; who can't be made there is not asked about further."""
    await _tell_failed(tx, ask.customer, payment_providers.words_of(error), now=now)
    if ask.currency is not None:
        await _note_no_accounts(tx, ask, now=now)
    task = await repository.find_task(tx, task_id=ask.task_id)
    if task is not None and ask.step is Step.CREATE and await is_current(tx, ask) is not None:
        await _end(tx, task.id)
    else:
        await finish(tx, ask, now=now)


async def _note_no_accounts(tx: Tx, ask: Ask, *, now: datetime) -> None:
    """Note that nobody was told how to send money: another invoice asks again, some time later."""
    await tx.lock("customer", ask.customer.id)
    if await is_current(tx, ask) is None:
        return
    for one in await funding_rows.of_customers(tx, {ask.customer.id}):
        if one.currency == ask.currency and one.accounts is None:
            await funding_rows.update_instructions(tx, one.id, {"refused_at": now, "updated_at": now})


async def note_link_failed(tx: Tx, connection_id: UUID, failed: LinkFailed, *, now: datetime) -> None:
    """Tell that a customer is not linked who was to be by leaving a method (Adyen)."""
    customer = await repository.find_linked(
        tx, connection_id, provider_customer_id=None, external_id=failed.external_id
    )
    if customer is not None:
        words = {"message": failed.error_message, "error_code": failed.error_code}
        await _tell_failed(tx, customer, words, now=now)


def is_followed(before: Customer, after: Customer) -> bool:
    """Whether something has changed that a provider is told of."""
    return any(_seen(before, name) != _seen(after, name) for name in FOLLOWED)


def _seen(customer: Customer, name: str) -> Any:
    if name == "name":
        return customer.display_name
    return getattr(customer.address if name in ADDRESS else customer, name)


async def _tell_failed(tx: Tx, customer: Customer, words: dict[str, Any], *, now: datetime) -> None:
    name = "payment_provider_customer_error"
    message = Message(
        webhook_type="customer.payment_provider_error",
        object_type=name,
        object_id=customer.id,
        payload={name: {**_who(customer), "provider_error": words}},
    )
    await emit(tx, message, now=now)


def _who(customer: Customer) -> dict[str, Any]:
    return {
        "lago_customer_id": str(customer.id),
        "external_customer_id": customer.external_id,
        "payment_provider": customer.payment_provider,
        "payment_provider_code": customer.payment_provider_code,
    }


async def is_current(tx: Tx, ask: Ask) -> Customer | None:
    """The customer as they are now, if they are still linked as they were when it was asked."""
    customer = (await repository.get_customers(tx, {ask.customer.id}))[ask.customer.id]
    is_same = customer.payment_provider_id == ask.connection.id
    if ask.step is not Step.CREATE:
        is_same = is_same and customer.provider_customer_id == ask.customer.provider_customer_id
    return customer if is_same and customer.deleted_at is None else None


async def _end(tx: Tx, task_id: UUID) -> None:
    await agenda.drop(tx, Kind.LINK_CUSTOMER, task_id)
    await repository.delete_task(tx, task_id)
