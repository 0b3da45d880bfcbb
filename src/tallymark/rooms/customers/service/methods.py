"""The ways in which a customer pays through a provider (wallets-and-payments §13)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import NotFound
from tallymark.jobs.activity import differences, shown
from tallymark.jobs.outbox import log_change
from tallymark.rooms.customers import repository
from tallymark.rooms.customers.model import Customer, PaymentMethod
from tallymark.rooms.customers.service.link import set_identity
from tallymark.rooms.payment_providers import service as payment_providers
from tallymark.rooms.payment_providers.model import MethodLost, MethodSaved

NO_DETAILS: Mapping[str, str] = MappingProxyType({})


async def payment_methods_of(tx: Tx, customer_id: UUID) -> Sequence[PaymentMethod]:
    """A customer's payment methods, the newest first."""
    return await repository.payment_methods_of(tx, customer_id)


async def methods_of(tx: Tx, customer_ids: Collection[UUID]) -> dict[UUID, list[PaymentMethod]]:
    """The methods of some customers, by customer."""
    found: dict[UUID, list[PaymentMethod]] = {}
    for method in await repository.methods_of(tx, customer_ids) if customer_ids else ():
        found.setdefault(method.customer_id, []).append(method)
    return found


async def find_payment_method(tx: Tx, customer_id: UUID, method_id: UUID | None) -> PaymentMethod | None:
    """One of a customer's methods by its id, or their default; None where they have no such one."""
    for method in await repository.payment_methods_of(tx, customer_id):
        if method.id == method_id if method_id is not None else method.is_default:
            return method
    return None


async def default_methods(tx: Tx, customer_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The ids of customers' default methods, by customer; who has none is left out."""
    return await repository.default_methods(tx, customer_ids)


async def get_payment_method(tx: Tx, method_id: UUID) -> PaymentMethod:
    """A method by its id, forgotten ones too: payments refer to them."""
    return await repository.get_payment_method(tx, method_id)


async def add_payment_method(
    tx: Tx,
    customer: Customer,
    provider_method_id: str,
    *,
    provider_customer_id: str | None = None,
    details: Mapping[str, str] = NO_DETAILS,
    now: datetime,
) -> PaymentMethod:
    """Note a method that the customer's provider tells of; a new one becomes the default, a known one is returned as it is.

    Only a provider's event makes one.
    """
    assert customer.payment_provider is not None, "a method is one of a provider"
    await tx.lock("customer", customer.id)
    for known in await repository.payment_methods_of(tx, customer.id):
        if (known.payment_provider, known.provider_method_id) == (
            customer.payment_provider,
            provider_method_id,
        ):
            return known
    method_id = new_id()
    row = {
        "id": method_id,
        "organization_id": tx.organization_id,
        "customer_id": customer.id,
        "payment_provider": customer.payment_provider,
        "payment_provider_code": customer.payment_provider_code,
        "payment_provider_id": customer.payment_provider_id,
        "details": dict(details),
        "provider_customer_id": provider_customer_id,
        "provider_method_id": provider_method_id,
        "created_at": now,
        "updated_at": now,
    }
    await repository.insert_payment_method(tx, row)
    await repository.set_default_method(tx, customer.id, method_id, at=now)
    return await _get(tx, customer.id, method_id)


async def note_method(
    tx: Tx, connection_id: UUID, saved: MethodSaved, *, now: datetime
) -> tuple[Customer, PaymentMethod, bool] | None:
    """Note a method that a customer has left at a connection's provider, or made their default there: it is the default here, too.

    Where that links the customer, they are linked by it. Whose it is, the method, and whether it is a new one; None where nobody
    is linked to the connection whose it could be.
    """
    found = await repository.find_linked(
        tx,
        connection_id,
        provider_customer_id=saved.provider_customer_id,
        external_id=saved.external_id,
    )
    if found is None:
        return None
    await tx.lock("customer", found.id)
    await payment_providers.hold(tx)
    customer = (await repository.get_customers(tx, {found.id}))[found.id]
    if customer.payment_provider_id != connection_id or customer.deleted_at is not None:
        return None  # somebody has parted them meanwhile
    if saved.links_customer and saved.provider_customer_id is not None:
        await set_identity(tx, customer, saved.provider_customer_id, now=now)
    known = await repository.find_method_at(tx, connection_id, saved.provider_method_id)
    if known is not None and known.customer_id == customer.id:
        if saved.details:
            await repository.update_payment_method(
                tx, known.id, {"details": dict(saved.details), "updated_at": now}
            )
        if saved.is_default and not known.is_default:
            await set_default_method(tx, customer.id, known.id, now=now)
        return customer, await _get(tx, customer.id, known.id), False
    own_id = saved.provider_customer_id or customer.provider_customer_id
    made = await add_payment_method(
        tx, customer, saved.provider_method_id, provider_customer_id=own_id, details=saved.details, now=now
    )
    return customer, made, True


async def lose_method(tx: Tx, connection_id: UUID, lost: MethodLost, *, now: datetime) -> None:
    """Forget a method that is no more at a connection's provider; one that nobody knows is no matter."""
    known = await repository.find_method_at(tx, connection_id, lost.provider_method_id)
    if known is None:
        return
    await tx.lock("customer", known.customer_id)
    if await find_payment_method(tx, known.customer_id, known.id) is not None:
        await delete_payment_method(tx, known.customer_id, known.id, now=now)


async def set_default_method(tx: Tx, customer_id: UUID, method_id: UUID, *, now: datetime) -> PaymentMethod:
    """Have a customer pay by one of their methods unless something else is said. Raises `NotFound("payment_method")`."""
    await tx.lock("customer", customer_id)
    method = await _get(tx, customer_id, method_id)
    before = (await default_methods(tx, [customer_id])).get(customer_id)
    await repository.set_default_method(tx, customer_id, method.id, at=now)
    changed = differences({"default_payment_method_id": before}, {"default_payment_method_id": method.id})
    await log_change(tx, "customer.updated", customer_id, changed, now=now)
    return await _get(tx, customer_id, method_id)


async def delete_payment_method(
    tx: Tx, customer_id: UUID, method_id: UUID, *, now: datetime
) -> PaymentMethod:
    """Forget a method, be it the default; the method as it was. Raises `NotFound("payment_method")`."""
    await tx.lock("customer", customer_id)
    method = await _get(tx, customer_id, method_id)
    await repository.delete_payment_method(tx, method.id, at=now)
    gone = {"payment_method": [shown(method, without=("customer_id", "created_at")), None]}
    await log_change(tx, "customer.updated", customer_id, gone, now=now)
    return method


async def _get(tx: Tx, customer_id: UUID, method_id: UUID) -> PaymentMethod:
    method = await find_payment_method(tx, customer_id, method_id)
    if method is None:
        raise NotFound("payment_method")
    return method
